//! Both engines on the same bytes: they must agree in content, facts and errors.

use std::io::{Read, Write};

use flate2::{Compression, GzBuilder};
use proptest::prelude::*;

use super::*;
use crate::formats::inflate::Inflater;

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut writer = GzBuilder::new()
        .mtime(5)
        .write(Vec::new(), Compression::default());
    writer.write_all(content).unwrap();
    writer.finish().unwrap()
}

type Answer = Result<(Vec<u8>, GzipFacts), GzipError>;

fn small(input: &[u8], cap: usize) -> Answer {
    let mut out = vec![9; 3];
    let facts = inflate_small(&mut Inflater::new(), input, cap, &mut out)?;
    Ok((out, facts))
}

/// A source that hands out a few bytes at a time, to cross every buffer border.
struct Drip<'a>(&'a [u8], usize);

impl Read for Drip<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.1.min(buffer.len());
        self.0.read(&mut buffer[..count])
    }
}

fn stream(input: &[u8], cap: usize, step: usize) -> Answer {
    let mut stream = GzipStream::new(Drip(input, step), cap as u64);
    let mut out = Vec::new();
    stream
        .read_to_end(&mut out)
        .map_err(|e| GzipError::from_io(&e).unwrap())?;
    Ok((out, *stream.facts()))
}

/// The common answer of both engines.
fn both(input: &[u8]) -> Answer {
    let whole = small(input, 1 << 20);
    assert_eq!(whole, stream(input, 1 << 20, 4096));
    assert_eq!(whole, stream(input, 1 << 20, 1 + input.len() / 64));
    whole
}

#[test]
fn a_plain_file_has_one_member_and_nothing_else() {
    let content: Vec<u8> = (0..200_000u32)
        .flat_map(|n| (n / 7).to_le_bytes())
        .collect();
    let (out, facts) = both(&gzip(&content)).unwrap();
    assert!(out == content);
    assert_eq!(
        (facts.members, facts.trailing, facts.inflated),
        (1, 0, 800_000)
    );
    assert_eq!(facts.header.mtime, 5);
    assert!(!facts.splits_readers());
    assert_eq!(both(&gzip(b"")).unwrap().0, b"");
}

#[test]
fn members_are_counted_and_joined() {
    let file = [gzip(b"one"), gzip(b"three")].concat();
    let (out, facts) = both(&file).unwrap();
    assert_eq!(out, b"onethree");
    assert_eq!(
        (facts.members, facts.first_inflated, facts.inflated),
        (2, 3, 8)
    );
    assert!(facts.splits_readers());
    // The same member twice has the trailer that the fast path looks for at the end.
    let (out, facts) = both(&[gzip(b"one"), gzip(b"one")].concat()).unwrap();
    assert_eq!((&out[..], facts.members), (&b"oneone"[..], 2));
}

#[test]
fn a_hidden_tail_with_a_copied_trailer_is_seen() {
    let member = gzip(b"content");
    let trailer = &member[member.len() - 8..];
    let (out, facts) = both(&[&member[..], b"hidden", trailer].concat()).unwrap();
    assert_eq!(out, b"content");
    assert_eq!((facts.trailing, facts.trailing_garbage), (14, true));
}

#[test]
fn padding_and_garbage_behind_are_told_apart() {
    let (_, facts) = both(&[gzip(b"x"), vec![0; 700]].concat()).unwrap();
    assert_eq!((facts.trailing, facts.trailing_garbage), (700, false));
    assert!(!facts.splits_readers());
    let (_, facts) = both(&[gzip(b"x"), vec![0, 0, 1]].concat()).unwrap();
    assert_eq!((facts.trailing, facts.trailing_garbage), (3, true));
    assert!(facts.splits_readers());
    assert_eq!(
        both(&[gzip(b"x"), vec![0x1f, 0x8b, 8]].concat()),
        Err(GzipError::Truncated)
    );
}

#[test]
fn header_fields_are_reported_and_checked() {
    let mut writer = GzBuilder::new()
        .filename("name")
        .comment("words")
        .extra(vec![1; 300])
        .write(Vec::new(), Compression::none());
    writer.write_all(b"abc").unwrap();
    let file = writer.finish().unwrap();
    let (out, facts) = both(&file).unwrap();
    assert_eq!(out, b"abc");
    assert!(facts.header.has_name() && facts.header.has_comment() && facts.header.has_extra());

    let mut reserved = gzip(b"x");
    reserved[3] = 0x20;
    assert_eq!(both(&reserved), Err(GzipError::ReservedFlags));

    let plain = gzip(b"x");
    let mut checked = plain[..10].to_vec();
    checked[3] = header::FHCRC;
    let sum = libdeflater::crc32(&checked).to_le_bytes();
    checked.extend(&sum[..2]);
    checked.extend(&plain[10..]);
    assert_eq!(both(&checked).unwrap().0, b"x");
    checked[4] ^= 1;
    assert_eq!(both(&checked), Err(GzipError::HeaderChecksum));

    let mut endless = plain[..10].to_vec();
    endless[3] = header::FNAME;
    endless.resize(header::MAX_HEADER + 100, b'a');
    assert_eq!(both(&endless), Err(GzipError::HeaderTooLong));
}

#[test]
fn every_truncation_is_an_error() {
    let file = gzip(b"some content that is some content");
    for len in 0..file.len() {
        assert_eq!(both(&file[..len]), Err(GzipError::Truncated), "{len}");
    }
}

#[test]
fn every_flipped_byte_shows() {
    let file = gzip(b"some content that is some content");
    let clean = both(&file).unwrap();
    for at in 0..file.len() {
        for bit in 0..8 {
            let mut changed = file.clone();
            changed[at] ^= 1 << bit;
            // Header fields without meaning for the content show in the facts. Only the bits that fill up
            // the last byte of the deflate stream mean nothing to anybody.
            let same = both(&changed).as_ref() == Ok(&clean);
            assert!(!same || at == file.len() - 9, "byte {at} bit {bit}");
        }
    }
}

#[test]
fn a_wrong_trailer_is_an_error() {
    let mut file = gzip(b"abc");
    let len = file.len();
    file[len - 8] ^= 1;
    assert_eq!(both(&file), Err(GzipError::Checksum));
    file[len - 8] ^= 1;
    file[len - 1] ^= 1;
    assert_eq!(both(&file), Err(GzipError::Length));
}

#[test]
fn a_bomb_ends_at_the_cap() {
    let bomb = gzip(&vec![0; 8 << 20]);
    assert!(bomb.len() < 16 << 10);
    assert_eq!(
        small(&bomb, 1 << 20),
        Err(GzipError::TooLarge { cap: 1 << 20 })
    );
    assert_eq!(
        stream(&bomb, 1 << 20, 4096),
        Err(GzipError::TooLarge { cap: 1 << 20 })
    );
    // A trailer that understates the length does not get past the cap either.
    let mut lying = bomb;
    let len = lying.len();
    lying[len - 4..].copy_from_slice(&7u32.to_le_bytes());
    assert_eq!(
        small(&lying, 1 << 20),
        Err(GzipError::TooLarge { cap: 1 << 20 })
    );
    // One that overstates it beyond what deflate can do allocates nothing for it.
    let mut vain = gzip(b"abc");
    let len = vain.len();
    vain[len - 4..].copy_from_slice(&u32::MAX.to_le_bytes());
    let mut out = Vec::new();
    let answer = inflate_small(&mut Inflater::new(), &vain, usize::MAX, &mut out);
    assert_eq!(answer, Err(GzipError::Length));
    assert!(out.capacity() < 1 << 20);
}

#[test]
fn a_failed_stream_stays_failed() {
    let mut file = gzip(b"abc");
    let len = file.len();
    file[len - 8] ^= 1;
    let mut stream = GzipStream::new(&file[..], 100);
    let mut out = Vec::new();
    assert!(stream.read_to_end(&mut out).is_err());
    assert!(stream.read(&mut [0; 4]).is_err());
}

proptest! {
    #[test]
    fn any_bytes_are_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = both(&bytes);
        let _ = both(&[&[0x1f, 0x8b, 8][..], &bytes].concat());
    }

    #[test]
    fn any_content_comes_back(content in proptest::collection::vec(any::<u8>(), 0..5000)) {
        prop_assert_eq!(both(&gzip(&content)).unwrap().0, content);
    }
}
