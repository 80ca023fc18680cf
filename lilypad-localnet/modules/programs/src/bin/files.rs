//! `files`: lists the job's input files on stdout and writes several outputs:
//!
//! - `upper/NAME`: each input that is text, in upper case;
//! - `by-size/BYTES/NAME`: a copy of each input;
//! - `manifest.json`: name, size and SHA-256 of each input.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use lilypad_bundled_programs::{json_string, sha256};

const INPUTS: &str = "/inputs";
const OUTPUTS: &str = "/outputs";

fn main() -> io::Result<()> {
    let outputs = Path::new(OUTPUTS);
    let mut paths: Vec<PathBuf> = fs::read_dir(INPUTS)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    paths.sort();
    let mut manifest = Vec::new();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let bytes = fs::read(&path)?;
        let checksum = sha256(&bytes);
        println!("{checksum}  {:>8}  {name}", bytes.len());
        manifest.push(format!(
            "  {{\"name\": {}, \"size\": {}, \"sha256\": \"{checksum}\"}}",
            json_string(&name),
            bytes.len()
        ));

        let same_size = outputs.join("by-size").join(bytes.len().to_string());
        fs::create_dir_all(&same_size)?;
        fs::write(same_size.join(&*name), &bytes)?;
        if let Ok(text) = String::from_utf8(bytes) {
            let upper = outputs.join("upper");
            fs::create_dir_all(&upper)?;
            fs::write(upper.join(&*name), text.to_uppercase())?;
        }
    }
    fs::write(outputs.join("manifest.json"), format!("[\n{}\n]\n", manifest.join(",\n")))
}
