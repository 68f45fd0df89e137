//! Scores signals that lie in files and may be larger than memory.
//!
//! ```text
//! stream TARGET.npy REFERENCES.npy MEMBERS.npy
//! ```
//!
//! The target has one logit for each record; references and members are references x records, as
//! `numpy.save` writes them. Prints how many records were scored and dropped, and why.

#![expect(clippy::print_stdout, reason = "an example tells what it found")]

use allonym_exposure::{Flags, Layout, Lira, Matrix, NpyArray, References, TLira};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let paths: Vec<String> = std::env::args().skip(1).collect();
    let [target, signals, members] = &paths[..] else {
        return Err("usage: stream TARGET.npy REFERENCES.npy MEMBERS.npy".into());
    };
    let target = NpyArray::open(target)?.to_vec()?;
    let (signals, members) = (NpyArray::open(signals)?, NpyArray::open(members)?);
    let references = References::new(
        Matrix::file(&signals, Layout::ByReference)?,
        Matrix::file(&members, Layout::ByReference)?,
    )?;
    for (name, scores) in [
        ("LiRA online", Lira::default().score(&target, &references)?),
        ("t-LiRA online", TLira::default().score(&target, &references)?),
    ] {
        println!("{name}: {} records, {} dropped", scores.len(), scores.dropped());
        for (flag, wanted) in Flags::NAMED {
            println!("  {flag}: {}", scores.count(wanted));
        }
    }
    Ok(())
}
