//! Pixels, and shapes with soft edges on them.

/// Red, green and blue, each from 0 to 1.
#[derive(Clone, Copy)]
pub(crate) struct Colour(pub(crate) f32, pub(crate) f32, pub(crate) f32);

impl Colour {
    /// A mixture: this colour at 0, `other` at 1.
    pub(crate) fn mix(self, other: Self, share: f32) -> Self {
        let share = share.clamp(0.0, 1.0);
        let part = |a: f32, b: f32| a + (b - a) * share;
        Self(part(self.0, other.0), part(self.1, other.1), part(self.2, other.2))
    }

    /// Lighter above 1, darker below.
    pub(crate) fn times(self, factor: f32) -> Self {
        Self(self.0 * factor, self.1 * factor, self.2 * factor)
    }
}

/// A square picture.
pub(crate) struct Canvas {
    size: usize,
    pixels: Vec<Colour>,
}

impl Canvas {
    /// A black one.
    pub(crate) fn new(size: usize) -> Self {
        Self { size, pixels: vec![Colour(0.0, 0.0, 0.0); size * size] }
    }

    /// Pixels on each side.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// Gives every pixel the colour that `paint` has for its place.
    pub(crate) fn fill(&mut self, mut paint: impl FnMut(f32, f32) -> Colour) {
        for (y, row) in self.pixels.chunks_exact_mut(self.size).enumerate() {
            for (x, pixel) in row.iter_mut().enumerate() {
                *pixel = paint(x as f32, y as f32);
            }
        }
    }

    /// Paints within `radius` of a point. `paint` is told where it is, seen from the point, and says the colour and how much of it.
    pub(crate) fn blend(&mut self, (x, y): (f32, f32), radius: f32, mut paint: impl FnMut(f32, f32) -> (Colour, f32)) {
        let range = |middle: f32| {
            let last = self.size as f32;
            (middle - radius).clamp(0.0, last) as usize..(middle + radius + 1.0).clamp(0.0, last) as usize
        };
        for row in range(y) {
            for column in range(x) {
                let (colour, share) = paint(column as f32 - x, row as f32 - y);
                if share > 0.0 {
                    let pixel = &mut self.pixels[row * self.size + column];
                    *pixel = pixel.mix(colour, share);
                }
            }
        }
    }

    /// The pixels, three bytes each, row by row.
    pub(crate) fn into_rgb(self) -> Vec<u8> {
        // Casting stops at 0 and 255 by itself.
        let byte = |part: f32| (part * 255.0 + 0.5) as u8;
        let mut bytes = vec![0; self.pixels.len() * 3];
        for (three, Colour(red, green, blue)) in bytes.chunks_exact_mut(3).zip(&self.pixels) {
            three.copy_from_slice(&[byte(*red), byte(*green), byte(*blue)]);
        }
        bytes
    }
}

/// How much of a pixel lies inside of a shape whose edge is `distance` away (negative: inside).
pub(crate) fn coverage(distance: f32) -> f32 {
    (0.5 - distance).clamp(0.0, 1.0)
}
