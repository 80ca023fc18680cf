//! `image PROMPT SEED`: paints a pond for the prompt and the seed, always the same for the same two.
//!
//! Writes `image.png` (512 by 512) and `metadata.json` to `/outputs`.

mod canvas;
mod chance;
mod deflate;
mod png;
mod pond;

use std::fs;
use std::io;

use lilypad_bundled_programs::{argument, json_string};

use crate::canvas::Canvas;
use crate::chance::Chance;
use crate::pond::Pond;

/// Pixels on each side.
const SIZE: usize = 512;

fn main() -> io::Result<()> {
    let (prompt, seed) = (argument(1), argument(2));
    let mut chance = Chance::new(&[&prompt, &seed]);
    let pond = Pond::imagine(&prompt, &mut chance);
    let mut canvas = Canvas::new(SIZE);
    pond.paint(&mut canvas, &mut chance);

    fs::write("/outputs/image.png", png::encode(canvas.size(), &canvas.into_rgb()))?;
    let metadata = format!(
        "{{\n  \"prompt\": {},\n  \"seed\": {},\n  \"width\": {SIZE},\n  \"height\": {SIZE},\n  \"mood\": {},\n  \"pads\": {},\n  \"flowers\": {},\n  \"frog\": {}\n}}\n",
        json_string(&prompt),
        json_string(&seed),
        json_string(pond.mood()),
        pond.pads(),
        pond.flowers(),
        pond.has_frog(),
    );
    fs::write("/outputs/metadata.json", metadata)?;
    println!("painted `{prompt}` with seed {seed}: outputs/image.png");
    Ok(())
}
