//! PNG files: three bytes a pixel, each row told by its difference from the row above.

use crate::deflate::zlib;

/// The bytes of a square picture of `size` by `size` pixels.
pub(crate) fn encode(size: usize, rgb: &[u8]) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let side = (size as u32).to_be_bytes();
    // 8 bits for each of red, green and blue; the only compression and filters there are; not interlaced.
    chunk(&mut file, b"IHDR", &[&side[..], &side, &[8, 2, 0, 0, 0]].concat());
    chunk(&mut file, b"IDAT", &zlib(&filtered(size * 3, rgb)));
    chunk(&mut file, b"IEND", &[]);
    file
}

/// Each row as filter 2 tells it: by its difference from the row above. It costs little and suits water.
fn filtered(row_length: usize, rgb: &[u8]) -> Vec<u8> {
    let mut rows = Vec::with_capacity(rgb.len() + rgb.len() / row_length);
    let mut above = vec![0; row_length];
    for row in rgb.chunks_exact(row_length) {
        rows.push(2);
        rows.extend(row.iter().zip(&above).map(|(here, above)| here.wrapping_sub(*above)));
        above.copy_from_slice(row);
    }
    rows
}

fn chunk(file: &mut Vec<u8>, kind: &[u8; 4], data: &[u8]) {
    file.extend_from_slice(&(data.len() as u32).to_be_bytes());
    let start = file.len();
    file.extend_from_slice(kind);
    file.extend_from_slice(data);
    let checksum = crc32(&file[start..]);
    file.extend_from_slice(&checksum.to_be_bytes());
}

fn crc32(bytes: &[u8]) -> u32 {
    let table: Vec<u32> = (0..256u32)
        .map(|byte| (0..8).fold(byte, |value, _| if value & 1 == 1 { 0xedb8_8320 ^ value >> 1 } else { value >> 1 }))
        .collect();
    !bytes.iter().fold(!0, |value, byte| table[(value as u8 ^ byte) as usize] ^ value >> 8)
}
