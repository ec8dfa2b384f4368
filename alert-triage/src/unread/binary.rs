//! Inputs that are not text.

use super::appearance::Appearance;

/// First bytes of common files.
const SIGNATURES: [(&[u8], &str, &str); 10] = [
    (b"\x1f\x8b", "compressed", "is compressed with gzip: unpack it with `zcat FILE | triage -`"),
    (b"\x28\xb5\x2f\xfd", "compressed", "is compressed with zstd: unpack it with `zstdcat FILE | triage -`"),
    (b"\xfd7zXZ\0", "compressed", "is compressed with xz: unpack it with `xzcat FILE | triage -`"),
    (b"BZh", "compressed", "is compressed with bzip2: unpack it with `bzcat FILE | triage -`"),
    (b"PK\x03\x04", "archive", "is a zip archive or an office document: unpack it, or export CSV"),
    (b"7z\xbc\xaf\x27\x1c", "archive", "is a 7-Zip archive: unpack it"),
    (b"%PDF", "document", "is a PDF document: export the alerts as CSV or JSON"),
    (b"\x89PNG", "image", "is an image: export the alerts as CSV or JSON"),
    (b"\xff\xd8\xff", "image", "is an image: export the alerts as CSV or JSON"),
    (b"SQLite format 3", "database", "is an SQLite database: export the table as CSV or JSON"),
];

/// Describes an input that is not text; `None` for text.
pub(super) fn describe(head: &[u8]) -> Option<Appearance> {
    if let Some((_, kind, sentence)) = SIGNATURES.iter().find(|(magic, ..)| head.starts_with(magic)) {
        return Some(Appearance::new(kind, *sentence));
    }
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        return Some(Appearance::new("utf-16", "is UTF-16 text: save it as UTF-8"));
    }
    let sample = &head[..head.len().min(4096)];
    sample.contains(&0).then(|| {
        Appearance::new(
            "binary",
            "is a binary file, with NUL bytes: export the alerts as JSON, CSV or lines of text",
        )
    })
}
