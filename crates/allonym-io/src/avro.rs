//! Avro object containers (Avro 1.12), as table formats keep their lists of files in.

use crate::error::IoError;
use crate::guard::{Guarded, guard};
use arrow_array::RecordBatch;
use arrow_avro::reader::ReaderBuilder;
use arrow_avro::schema::AvroSchema;
use std::fs;
use std::io::Cursor;
use std::path::Path;

/// Reads the fields of a file that a reader's schema names (JSON, Avro schema resolution): what is not
/// in it is passed over, what it has a default for may be missing.
///
/// # Errors
/// Missing, not permitted, larger than 1 GiB, no such file, or one whose fields do not fit.
pub fn read_avro(path: &Path, schema: &str) -> Result<Vec<RecordBatch>, IoError> {
    let name = path.display().to_string();
    let facts = fs::metadata(path).map_err(|error| IoError::reading(&name, &error))?;
    if facts.len() > FILE_BYTES_MAX {
        return Err(IoError::bad(&name, format!("is larger than {FILE_BYTES_MAX} bytes")));
    }
    let bytes = fs::read(path).map_err(|error| IoError::reading(&name, &error))?;
    let decode = || {
        let reader = ReaderBuilder::new()
            .with_reader_schema(AvroSchema::new(schema.to_owned()))
            .build(Cursor::new(bytes))?;
        reader.collect::<Result<Vec<RecordBatch>, _>>()
    };
    match guard(decode) {
        Guarded::Done(Ok(batches)) => Ok(batches),
        _ => Err(IoError::bad(&name, "is no Avro file with the fields that are looked for")),
    }
}

const FILE_BYTES_MAX: u64 = 1 << 30;

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &str = r#"{"type":"record","name":"r","fields":[{"name":"n","type":"long"}]}"#;

    #[test]
    fn what_is_no_avro_file_is_an_error_and_never_a_panic() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("a.avro");
        assert!(read_avro(&path, SCHEMA).is_err());
        let header = b"Obj\x01\x02\x16avro.codec\x0csnappy\x00";
        for bytes in [&b""[..], b"Obj\x01", b"PAR1", header, &[0xff; 64]] {
            fs::write(&path, bytes).unwrap();
            let error = read_avro(&path, SCHEMA).unwrap_err();
            assert!(error.to_string().contains("a.avro"), "{error}");
        }
    }
}
