//! Removes compression and UTF-16 around an input, by its first bytes.

use std::io::{self, Chain, Cursor, Read};

use encoding_rs_io::DecodeReaderBytes;
use flate2::read::MultiGzDecoder;
use ruzstd::decoding::StreamingDecoder;

/// Layers that are removed: a compressed file of UTF-16 has two.
const MAX_LAYERS: usize = 3;

type Peeked = Chain<Cursor<Vec<u8>>, Box<dyn Read + Send>>;

/// The text of an input: gzip and zstd are unpacked, and UTF-16 with a byte order mark becomes
/// UTF-8. Any other input is returned as it is.
pub(super) fn decoded(mut reader: Box<dyn Read + Send>) -> io::Result<Box<dyn Read + Send>> {
    for _ in 0..MAX_LAYERS {
        let mut head = Vec::new();
        reader.by_ref().take(4).read_to_end(&mut head)?;
        let layer = Layer::from_head(&head);
        let peeked: Peeked = Cursor::new(head).chain(reader);
        reader = match layer {
            Layer::Gzip => Box::new(MultiGzDecoder::new(peeked)),
            Layer::Zstd => Box::new(StreamingDecoder::new(peeked).map_err(io::Error::other)?),
            Layer::Utf16 => Box::new(DecodeReaderBytes::new(peeked)),
            Layer::None => return Ok(Box::new(peeked)),
        };
    }
    Ok(reader)
}

enum Layer {
    Gzip,
    Zstd,
    Utf16,
    None,
}

impl Layer {
    fn from_head(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, 8, ..] => Layer::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd] => Layer::Zstd,
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Layer::Utf16,
            _ => Layer::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::*;

    fn read(bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        decoded(Box::new(Cursor::new(bytes)))?.read_to_end(&mut text)?;
        Ok(text)
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn layers_are_removed() {
        let text = "Zone AB: LLMModelStale é\n".as_bytes();
        let utf16 = |mark: [u8; 2], bytes: fn(u16) -> [u8; 2]| {
            let units = std::str::from_utf8(text).unwrap().encode_utf16().flat_map(bytes);
            mark.into_iter().chain(units).collect::<Vec<u8>>()
        };
        let little = utf16([0xff, 0xfe], u16::to_le_bytes);
        for (case, bytes) in [
            ("plain", text.to_vec()),
            ("gzip", gzip(text)),
            ("two gzip members", [gzip(&text[..5]), gzip(&text[5..])].concat()),
            ("zstd", compress_to_vec(text, CompressionLevel::Fastest)),
            ("UTF-16, little endian", little.clone()),
            ("UTF-16, big endian", utf16([0xfe, 0xff], u16::to_be_bytes)),
            ("gzip of UTF-16", gzip(&little)),
        ] {
            let found = read(bytes).unwrap();
            assert_eq!(String::from_utf8_lossy(&found), String::from_utf8_lossy(text), "{case}");
        }
        assert_eq!(read(Vec::new()).unwrap(), b"");
        assert_eq!(read(b"\x1f".to_vec()).unwrap(), b"\x1f");
    }

    #[test]
    fn a_damaged_archive_is_an_error() {
        let mut cut = gzip(&b"Zone AB: LLMModelStale\n".repeat(100));
        cut.truncate(cut.len() / 2);
        assert!(read(cut).is_err());
    }
}
