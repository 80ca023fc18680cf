//! The body of a form with file parts.

/// The content of the part called `name`. The boundary is the body's first line.
pub(crate) fn part<'a>(body: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let end = find(body, b"\r\n")?;
    let boundary = body[..end].strip_prefix(b"--")?;
    let mark: Vec<u8> = [b"\r\n--", boundary].concat();
    let wanted = format!("name=\"{name}\"");
    let mut rest = &body[end + 2..];
    loop {
        let length = find(rest, &mark)?;
        let (headers, content) = rest[..length].split_at(find(&rest[..length], b"\r\n\r\n")?);
        if find(headers, wanted.as_bytes()).is_some() {
            return Some(&content[4..]);
        }
        rest = rest[length + mark.len()..].strip_prefix(b"\r\n")?;
    }
}

/// Where `needle` begins in `text`.
fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    text.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = b"--x\r\nContent-Disposition: form-data; name=\"a\"; filename=\"a\"\r\n\r\none\r\n--x\r\n\
        Content-Disposition: form-data; name=\"b\"\r\n\r\n\r\ntwo\r\n\r\n--x--\r\n";

    #[test]
    fn a_part_is_found_by_its_name_and_keeps_its_line_feeds() {
        assert_eq!(part(BODY, "a"), Some(&b"one"[..]));
        assert_eq!(part(BODY, "b"), Some(&b"\r\ntwo\r\n"[..]));
        assert_eq!(part(BODY, "c"), None);
        assert_eq!(part(b"{}", "a"), None);
    }
}
