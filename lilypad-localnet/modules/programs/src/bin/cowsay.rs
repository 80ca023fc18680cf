//! `cowsay MESSAGE`: a cow says it.

use lilypad_bundled_programs::argument;

/// The longest line in the bubble.
const WIDTH: usize = 39;
const COW: &str = r"        \   ^__^
         \  (oo)\_______
            (__)\       )\/\
                ||----w |
                ||     ||
";

fn main() {
    let lines = wrap(&argument(1));
    let width = lines.iter().map(|line| line.chars().count()).max().unwrap_or_default();
    println!(" {}", "_".repeat(width + 2));
    for (index, line) in lines.iter().enumerate() {
        let (left, right) = match (index, lines.len() - index) {
            (0, 1) => ('<', '>'),
            (0, _) => ('/', '\\'),
            (_, 1) => ('\\', '/'),
            _ => ('|', '|'),
        };
        println!("{left} {line:width$} {right}");
    }
    println!(" {}", "-".repeat(width + 2));
    print!("{COW}");
}

/// The words of `message` in lines of at most [`WIDTH`] characters; longer words are cut. At least one line, possibly empty.
fn wrap(message: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut length = 0;
    for word in message.split_whitespace() {
        let characters: Vec<char> = word.chars().collect();
        if length > 0 && length + 1 + characters.len() > WIDTH {
            lines.push(String::new());
            length = 0;
        }
        for (index, part) in characters.chunks(WIDTH).enumerate() {
            if index > 0 {
                lines.push(String::new());
                length = 0;
            }
            if let Some(line) = lines.last_mut() {
                if length > 0 {
                    line.push(' ');
                    length += 1;
                }
                line.extend(part);
                length += part.len();
            }
        }
    }
    lines
}
