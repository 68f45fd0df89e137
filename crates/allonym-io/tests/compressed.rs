//! gzip and Zstandard around text formats and streams.

#![expect(clippy::unwrap_used, clippy::clone_on_ref_ptr, reason = "a test that cannot go on ends")]

mod files;

use allonym_io::{Compression, IoErrorKind, ReadOptions};
use files::{CANARY, Desk, check_refused, open, pass, read_all, read_whole, rows_of};
use flate2::write::GzEncoder;
use std::fs;
use std::io::{Read, Write};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd_of(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).unwrap()
}

fn unpacked(name: &str, bytes: &[u8]) -> Vec<u8> {
    if name.ends_with(".gz") {
        let mut content = Vec::new();
        flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut content).unwrap();
        content
    } else {
        zstd::decode_all(bytes).unwrap()
    }
}

fn noise(rows: usize) -> String {
    let mut state = 1_u64;
    let mut text = "id,word\n".to_owned();
    for row in 0..rows {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text.push_str(&format!("{row},{state:x}\n"));
    }
    text
}

#[test]
fn content_is_identical_in_every_packing() {
    let csv = noise(3_000);
    let json = "{\"a\":\"x\"}\n".repeat(3_000);
    let plain = "line\n".repeat(500_000);
    for (name, content) in [("a.csv", &csv), ("a.jsonl", &json), ("a.txt", &plain)] {
        for (packing, packed) in
            [("gz", gzip(content.as_bytes())), ("zst", zstd_of(content.as_bytes()))]
        {
            let desk = Desk::new();
            let from = desk.put(&format!("{name}.{packing}"), packed);
            let to = format!("out-{name}.{packing}");
            let mut outputs = Vec::new();
            for rows in [100, 1_000_000] {
                outputs.push(pass(&from, &desk.path(&to), &rows_of(rows)).unwrap());
            }
            assert!(outputs[0] == outputs[1], "{to}");
            assert!(unpacked(&to, &outputs[0]) == content.as_bytes(), "{to}");
            // Out of a packing into none.
            let bare = format!("out-{name}");
            assert!(pass(&from, &desk.path(&bare), &rows_of(1_000)).unwrap() == content.as_bytes());
        }
    }
}

#[test]
fn members_and_frames_follow_one_another() {
    let desk = Desk::new();
    let parts = [&b"a,b\n1,"[..], b"2\n", b"3,4\n"];
    let path = desk.put("a.csv.gz", parts.map(gzip).concat());
    assert_eq!(read_whole(&path, &ReadOptions::default()).num_rows(), 2);
    let path = desk.put("a.csv.zst", parts.map(zstd_of).concat());
    assert_eq!(read_whole(&path, &ReadOptions::default()).num_rows(), 2);
    // By its first bytes, whatever the name says.
    let path = desk.put("a.csv", parts.map(gzip).concat());
    assert_eq!(read_whole(&path, &ReadOptions::default()).num_rows(), 2);
    assert_eq!(
        open(&path, &ReadOptions::default()).unwrap().shape().compression,
        Compression::Gzip
    );
}

#[test]
fn no_time_stands_in_the_header() {
    let desk = Desk::new();
    let from = desk.put("a.csv", "a\n1\n");
    let out = pass(&from, &desk.path("b.csv.gz"), &ReadOptions::default()).unwrap();
    assert_eq!(&out[..10], &[0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255]);
}

#[test]
fn truncated_packings_are_refused_wherever_they_end() {
    let desk = Desk::new();
    let text = noise(5_000).replace("1,", &format!("1{CANARY},"));
    for (name, packed) in
        [("a.csv.gz", gzip(text.as_bytes())), ("a.csv.zst", zstd_of(text.as_bytes()))]
    {
        for part in 1..20 {
            let path = desk.put(name, &packed[..packed.len() * part / 20]);
            check_refused(&path, &ReadOptions::default(), IoErrorKind::BadInput, &["truncated"]);
        }
        let path = desk.put(name, &packed[..packed.len() - 1]);
        check_refused(&path, &ReadOptions::default(), IoErrorKind::BadInput, &["truncated"]);
        for head in 1..3 {
            let path = desk.put(name, &packed[..head]);
            check_refused(
                &path,
                &ReadOptions::default(),
                IoErrorKind::BadInput,
                &["not compressed as the name says"],
            );
        }
    }
}

#[test]
fn corrupt_packings_are_refused() {
    let desk = Desk::new();
    let text = noise(5_000);
    let mut packed = gzip(text.as_bytes());
    let length = packed.len();
    packed[length - 6] ^= 1;
    let path = desk.put("a.csv.gz", &packed);
    check_refused(
        &path,
        &ReadOptions::default(),
        IoErrorKind::BadInput,
        &["the gzip data is corrupt"],
    );
    let trailing = [gzip(text.as_bytes()), b"garbage".to_vec()].concat();
    let path = desk.put("a.csv.gz", trailing);
    check_refused(&path, &ReadOptions::default(), IoErrorKind::BadInput, &["gzip data"]);
    for (name, packed) in
        [("a.csv.gz", gzip(text.as_bytes())), ("a.csv.zst", zstd_of(text.as_bytes()))]
    {
        let mut refused = 0;
        for step in 0..100 {
            let mut flipped = packed.clone();
            flipped[(step * 7_919) % packed.len()] ^= 1 << (step % 8);
            let path = desk.put(name, flipped);
            if let Err(error) = read_all(&path, &ReadOptions::default()) {
                refused += 1;
                assert_eq!(error.kind, IoErrorKind::BadInput, "{error}");
            }
        }
        // gzip always has a checksum, Zstandard here has none.
        assert!(refused > if name.ends_with("gz") { 90 } else { 30 }, "{name} {refused}");
    }
    let path = desk.put("a.csv.gz", "a,b\n1,2\n");
    check_refused(
        &path,
        &ReadOptions::default(),
        IoErrorKind::BadInput,
        &["not compressed as the name says"],
    );
    let declared = ReadOptions { compression: Some(Compression::Plain), ..ReadOptions::default() };
    assert_eq!(read_whole(&path, &declared).num_rows(), 1);
    let path = desk.put("b.csv.gz", gzip(b""));
    check_refused(
        &path,
        &ReadOptions::default(),
        IoErrorKind::BadInput,
        &["the input is empty (0 bytes)"],
    );
}

/// A file of a few kilobytes that unpacks to a gigabyte is refused after the largest cell.
#[test]
fn a_bomb_is_not_unpacked() {
    let desk = Desk::new();
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.write_all(b"a,b\n1,\"").unwrap();
    let zeros = vec![b'0'; 1 << 20];
    for _ in 0..1_024 {
        encoder.write_all(&zeros).unwrap();
    }
    let packed = encoder.finish().unwrap();
    assert!(packed.len() < 1 << 20);
    let path = desk.put("a.csv.zst", packed);
    let options = ReadOptions { cell_bytes_max: Some(1 << 20), ..ReadOptions::default() };
    let mut reader = open(&path, &options).unwrap();
    let error = reader.next_chunk().unwrap_err();
    assert!(error.message.contains("larger than 1,048,576 bytes"), "{error}");
    let (read, size) = reader.progress();
    assert!(read < size.unwrap() / 10, "{read}");
    drop(fs::metadata(path));
}
