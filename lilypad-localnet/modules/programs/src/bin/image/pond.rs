//! What is in the picture: water, lily pads, flowers, sometimes a frog.

use std::f32::consts::{PI, TAU};

use crate::canvas::{Canvas, Colour, coverage};
use crate::chance::Chance;

/// Cells of the lattice that ripples are made from.
const LATTICE: usize = 64;
/// Tries to find room for a pad.
const TRIES: usize = 160;

/// The colours of a picture, and the words in a prompt that call for it.
struct Mood {
    name: &'static str,
    words: &'static [&'static str],
    far: Colour,
    near: Colour,
    glint: Colour,
    pad: Colour,
    petal: Colour,
}

/// The first whose words are in the prompt is taken, so `sunset` comes before `sun`.
const MOODS: [Mood; 4] = [
    Mood {
        name: "evening",
        words: &["evening", "sunset", "dusk", "dawn", "autumn", "gold"],
        far: Colour(0.98, 0.66, 0.38),
        near: Colour(0.30, 0.14, 0.36),
        glint: Colour(1.0, 0.88, 0.62),
        pad: Colour(0.28, 0.42, 0.22),
        petal: Colour(1.0, 0.86, 0.52),
    },
    Mood {
        name: "night",
        words: &["night", "moon", "star", "dark", "midnight", "winter"],
        far: Colour(0.13, 0.20, 0.42),
        near: Colour(0.02, 0.04, 0.13),
        glint: Colour(0.62, 0.76, 1.0),
        pad: Colour(0.10, 0.32, 0.30),
        petal: Colour(0.84, 0.80, 1.0),
    },
    Mood {
        name: "mist",
        words: &["mist", "fog", "rain", "quiet", "calm", "grey"],
        far: Colour(0.78, 0.84, 0.82),
        near: Colour(0.20, 0.34, 0.34),
        glint: Colour(0.95, 0.98, 0.96),
        pad: Colour(0.36, 0.56, 0.40),
        petal: Colour(0.99, 0.94, 0.96),
    },
    Mood {
        name: "day",
        words: &["day", "morning", "summer", "sun", "spring"],
        far: Colour(0.42, 0.72, 0.80),
        near: Colour(0.06, 0.30, 0.42),
        glint: Colour(0.86, 0.97, 0.98),
        pad: Colour(0.26, 0.60, 0.24),
        petal: Colour(0.98, 0.72, 0.82),
    },
];

/// A leaf on the water.
struct Pad {
    at: (f32, f32),
    radius: f32,
    /// Where its cut points to.
    cut: f32,
    shade: f32,
    flower: bool,
}

/// The whole picture, before it is painted.
pub(crate) struct Pond {
    mood: &'static Mood,
    pads: Vec<Pad>,
    frog: bool,
}

impl Pond {
    /// A pond for `prompt`: some of its words matter, and chance does the rest.
    pub(crate) fn imagine(prompt: &str, chance: &mut Chance) -> Self {
        let prompt = prompt.to_lowercase();
        let mentions = |words: &[&str]| words.iter().any(|word| prompt.contains(word));
        let any = &MOODS[chance.below(MOODS.len())];
        let mood = MOODS.iter().find(|mood| mentions(mood.words)).unwrap_or(any);
        let bloom = if mentions(&["flower", "lotus", "bloom", "blossom"]) { 0.7 } else { 0.25 };
        let frog = mentions(&["frog", "toad"]) || chance.below(4) == 0;

        let wanted = 9 + chance.below(10);
        let mut pads: Vec<Pad> = Vec::new();
        for _ in 0..TRIES {
            let at = (chance.between(10.0, 502.0), chance.between(60.0, 505.0));
            // Nearer to the eye, and so larger, at the bottom.
            let radius = chance.between(18.0, 34.0) * (0.6 + at.1 / 300.0);
            let pad = Pad {
                at,
                radius,
                cut: chance.between(-PI, PI),
                shade: chance.between(0.82, 1.18),
                flower: chance.between(0.0, 1.0) < bloom,
            };
            if pads.len() < wanted && pads.iter().all(|other| other.is_apart_from(&pad)) {
                pads.push(pad);
            }
        }
        pads.sort_by(|a, b| a.at.1.total_cmp(&b.at.1));
        Self { mood, pads, frog }
    }

    /// The name of its colours.
    pub(crate) fn mood(&self) -> &'static str {
        self.mood.name
    }

    /// How many pads there are.
    pub(crate) fn pads(&self) -> usize {
        self.pads.len()
    }

    /// How many of them bloom.
    pub(crate) fn flowers(&self) -> usize {
        self.pads.iter().filter(|pad| pad.flower).count()
    }

    /// Whether a frog sits on the largest pad.
    pub(crate) fn has_frog(&self) -> bool {
        self.frog
    }

    /// Paints it.
    pub(crate) fn paint(&self, canvas: &mut Canvas, chance: &mut Chance) {
        self.paint_water(canvas, chance);
        let throne = self.pads.iter().max_by(|a, b| a.radius.total_cmp(&b.radius)).filter(|_| self.frog);
        for pad in &self.pads {
            pad.paint_shadow(canvas);
            pad.paint_leaf(canvas, self.mood.pad);
            if throne.is_some_and(|throne| std::ptr::eq(throne, pad)) {
                paint_frog(canvas, pad.at, pad.radius * 0.55);
            } else if pad.flower {
                paint_flower(canvas, (pad.at.0, pad.at.1 - pad.radius * 0.1), pad.radius * 0.55, self.mood.petal);
            }
        }
    }

    fn paint_water(&self, canvas: &mut Canvas, chance: &mut Chance) {
        let lattice: Vec<f32> = (0..LATTICE * LATTICE).map(|_| chance.between(-1.0, 1.0)).collect();
        let size = canvas.size() as f32;
        let Mood { far, near, glint, .. } = *self.mood;
        canvas.fill(|x, y| {
            let depth = y / size;
            let water = far.mix(near, depth.sqrt());
            // Ripples are long and low in the distance, and wide apart near the eye.
            let scale = 0.10 - 0.03 * depth;
            let ripple = noise(&lattice, x * 0.018, y * scale) + 0.5 * noise(&lattice, x * 0.05 + 9.0, y * scale * 2.3);
            let light = water.times(1.0 + 0.10 * ripple);
            light.mix(glint, (ripple - 0.62) * (0.9 - 0.5 * depth))
        });
    }
}

impl Pad {
    fn is_apart_from(&self, other: &Self) -> bool {
        let (dx, dy) = (self.at.0 - other.at.0, (self.at.1 - other.at.1) / 0.55);
        let reach = (self.radius + other.radius) * 0.94;
        dx * dx + dy * dy > reach * reach
    }

    fn paint_shadow(&self, canvas: &mut Canvas) {
        let at = (self.at.0 + self.radius * 0.08, self.at.1 + self.radius * 0.14);
        canvas.blend(at, self.radius * 1.2, |dx, dy| {
            let distance = length(dx, dy / 0.55) - self.radius;
            (Colour(0.0, 0.05, 0.08), 0.45 * (0.5 - distance / (self.radius * 0.3)).clamp(0.0, 1.0))
        });
    }

    fn paint_leaf(&self, canvas: &mut Canvas, green: Colour) {
        let (rim, heart) = (green.times(self.shade * 0.72), green.times(self.shade * 1.25));
        let (sin, cos) = self.cut.sin_cos();
        canvas.blend(self.at, self.radius + 1.0, |dx, dy| {
            // The leaf lies flat, so that it looks half as high as it is wide.
            let (dx, dy) = (dx, dy / 0.55);
            let far = length(dx, dy);
            // Along and across the cut, a wedge that begins near the middle.
            let (along, across) = (dx * cos + dy * sin, (dy * cos - dx * sin).abs());
            let wedge = if along > 0.0 { across - along * 0.22 } else { far };
            let share = coverage(far - self.radius) * coverage(0.5 - wedge);
            if share <= 0.0 {
                return (rim, 0.0);
            }
            let inward = far / self.radius;
            // Veins are where the angle is near a multiple of a sixteenth turn from the cut.
            let turn = (across.atan2(along) / TAU * 16.0).fract();
            let vein = (turn - 0.5).abs() * inward * self.radius * 0.4;
            let leaf = heart.mix(rim, inward * inward).times(1.0 - 0.12 * dy / self.radius);
            (leaf.mix(heart.times(1.2), 0.45 * (1.0 - vein).clamp(0.0, 1.0) * (1.0 - inward)), share)
        });
    }
}

fn paint_flower(canvas: &mut Canvas, at: (f32, f32), radius: f32, petal: Colour) {
    // Two rings of petals, the inner one lighter and between the petals of the outer one.
    for (reach, offset, light) in [(1.0, 0.0, 0.86), (0.72, 0.5, 1.02)] {
        canvas.blend(at, radius, |dx, dy| {
            let (dx, dy) = (dx, dy / 0.75);
            let far = length(dx, dy) / (radius * reach);
            let turn = (dy.atan2(dx) / TAU + 1.0) * 8.0 + offset;
            let middle = (turn.fract() - 0.5).abs() * 2.0;
            let edge = 1.0 - 0.55 * middle * middle;
            (petal.times(light * (0.78 + 0.26 * far) * (1.06 - 0.2 * middle)), coverage((far - edge) * radius * 0.8))
        });
    }
    canvas.blend(at, radius, |dx, dy| {
        let far = length(dx, dy / 0.75);
        (Colour(0.99, 0.80, 0.24).times(1.05 - 0.3 * far / radius), coverage(far - radius * 0.2))
    });
}

fn paint_frog(canvas: &mut Canvas, (x, y): (f32, f32), size: f32) {
    let green = Colour(0.45, 0.74, 0.20);
    let mut blob = |dx: f32, dy: f32, width: f32, height: f32, colour: Colour| {
        canvas.blend((x + dx * size, y + dy * size), size * width.max(height) + 1.0, |dx, dy| {
            let far = length(dx / width, dy / height) / size;
            (colour.times(1.08 - 0.25 * dy / (height * size)), coverage((far - 1.0) * size * width.min(height)))
        });
    };
    for side in [-1.0, 1.0] {
        blob(side * 0.55, 0.12, 0.34, 0.22, green.times(0.8));
    }
    blob(0.0, -0.12, 0.55, 0.42, green);
    blob(0.0, 0.02, 0.34, 0.24, Colour(0.82, 0.90, 0.56));
    for side in [-1.0, 1.0] {
        blob(side * 0.28, -0.50, 0.18, 0.18, green);
        blob(side * 0.28, -0.52, 0.11, 0.11, Colour(0.98, 0.98, 0.92));
        blob(side * 0.28, -0.52, 0.055, 0.07, Colour(0.05, 0.08, 0.05));
    }
}

/// Smooth noise from -1 to 1.
fn noise(lattice: &[f32], x: f32, y: f32) -> f32 {
    let (left, top) = (x as usize, y as usize);
    let smooth = |part: f32| part * part * (3.0 - 2.0 * part);
    let (across, down) = (smooth(x - left as f32), smooth(y - top as f32));
    let at = |column: usize, row: usize| lattice[row % LATTICE * LATTICE + column % LATTICE];
    let upper = at(left, top) * (1.0 - across) + at(left + 1, top) * across;
    let lower = at(left, top + 1) * (1.0 - across) + at(left + 1, top + 1) * across;
    upper * (1.0 - down) + lower * down
}

fn length(x: f32, y: f32) -> f32 {
    (x * x + y * y).sqrt()
}
