//! Outputs that appear whole or not at all.

use crate::error::{IoError, IoErrorKind};
use crate::source::{hex, open_file};
use sha2::{Digest, Sha256};
use std::fmt;
use std::fs;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Where rows go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// A file, written aside and renamed by `commit`.
    File(PathBuf),
    /// Standard output, streamed.
    Stdout,
}

impl Output {
    /// The name for messages; `-` for standard output.
    pub(crate) fn name(&self) -> String {
        match self {
            Output::File(path) => path.display().to_string(),
            Output::Stdout => "-".to_owned(),
        }
    }
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// SHA-256 of the bytes, lower-case hex.
    pub sha256: String,
    /// Rows.
    pub rows: u64,
    /// Bytes.
    pub bytes: u64,
}

/// Bytes on their way out: counted, hashed, and for a file kept aside.
pub(crate) struct Sink {
    target: Target,
    hash: Sha256,
    bytes: u64,
}

enum Target {
    Aside(BufWriter<Aside>),
    Stdout(BufWriter<io::Stdout>),
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sink").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

impl Sink {
    /// A file aside, or standard output. An existing target is refused unless `force`.
    pub(crate) fn create(output: &Output, force: bool) -> Result<Sink, IoError> {
        let target = match output {
            Output::Stdout => Target::Stdout(BufWriter::with_capacity(BUFFER_BYTES, io::stdout())),
            Output::File(path) => {
                let aside = Aside::create(path, force)?;
                Target::Aside(BufWriter::with_capacity(BUFFER_BYTES, aside))
            }
        };
        Ok(Sink { target, hash: Sha256::new(), bytes: 0 })
    }

    /// Everything on the disk, still aside.
    pub(crate) fn finish(self, path: &str, rows: u64) -> Result<Finished, IoError> {
        let written = Written { sha256: hex(&self.hash.finalize()), rows, bytes: self.bytes };
        let writing = |error: io::Error| IoError::writing(path, &error);
        let aside = match self.target {
            Target::Stdout(mut stdout) => {
                stdout.flush().map_err(writing)?;
                None
            }
            Target::Aside(file) => {
                let aside = file.into_inner().map_err(|error| writing(error.into_error()))?;
                aside.file.as_file().sync_all().map_err(writing)?;
                Some(aside)
            }
        };
        Ok(Finished { aside, written })
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.target {
            Target::Aside(file) => file.write_all(bytes)?,
            Target::Stdout(stdout) => stdout.write_all(bytes)?,
        }
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.target {
            Target::Aside(file) => file.flush(),
            Target::Stdout(stdout) => stdout.flush(),
        }
    }
}

/// A complete file that waits to become visible.
#[derive(Debug)]
#[must_use = "the file becomes visible by `commit` only"]
pub struct Finished {
    aside: Option<Aside>,
    written: Written,
}

impl Finished {
    /// What was written.
    #[must_use]
    pub fn written(&self) -> &Written {
        &self.written
    }

    /// Renames into place (atomic); refuses when the target appeared meanwhile and `force` was
    /// not given. Standard output has been written already.
    ///
    /// # Errors
    /// [`IoErrorKind::Usage`] when the target appeared, else what the operating system says.
    pub fn commit(self) -> Result<Written, IoError> {
        if let Some(aside) = self.aside {
            aside.commit()?;
        }
        Ok(self.written)
    }
}

/// A file under another name in the folder of its target. Dropped, it is removed.
#[derive(Debug)]
struct Aside {
    file: NamedTempFile,
    target: PathBuf,
    force: bool,
    #[cfg(unix)]
    mode: u32,
}

impl Aside {
    fn create(target: &Path, force: bool) -> Result<Aside, IoError> {
        let name = target.display().to_string();
        let writing = |error: io::Error| IoError::writing(&name, &error);
        let replaced = fs::symlink_metadata(target).ok();
        if replaced.as_ref().is_some_and(fs::Metadata::is_dir) {
            return Err(writing(io::ErrorKind::IsADirectory.into()));
        }
        if replaced.is_some() && !force {
            return Err(exists(&name));
        }
        if fs::metadata(target).is_ok_and(|known| !known.is_file()) {
            let what = "not a regular file; write to `-` and redirect instead";
            return Err(IoError::usage(&name, what));
        }
        // A link is followed, so that the file it names is replaced and not the link.
        let target = match &replaced {
            Some(replaced) if replaced.is_symlink() => {
                fs::canonicalize(target).unwrap_or_else(|_| target.to_owned())
            }
            _ => target.to_owned(),
        };
        let folder = match target.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let file_name = target.file_name().ok_or_else(|| IoError::usage(&name, "names no file"))?;
        let mut prefix = std::ffi::OsString::from(".");
        prefix.push(file_name);
        prefix.push(".allonym-");
        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix).suffix(".tmp");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // The kernel takes the umask off: what remains is the mode a plain `open` would give.
            builder.permissions(fs::Permissions::from_mode(0o644));
            let file = builder.tempfile_in(folder).map_err(writing)?;
            let usual = file.as_file().metadata().map_err(writing)?.permissions().mode();
            let replaced = fs::metadata(&target).map(|known| known.permissions().mode());
            let mode = replaced.unwrap_or(usual) & 0o777;
            // Nobody reads along while it is written.
            let private = fs::Permissions::from_mode(0o600);
            file.as_file().set_permissions(private).map_err(writing)?;
            Ok(Aside { file, target, force, mode })
        }
        #[cfg(not(unix))]
        {
            let file = builder.tempfile_in(folder).map_err(writing)?;
            Ok(Aside { file, target, force })
        }
    }

    fn commit(self) -> Result<(), IoError> {
        let name = self.target.display().to_string();
        let writing = |error: io::Error| IoError::writing(&name, &error);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::Permissions::from_mode(self.mode);
            self.file.as_file().set_permissions(mode).map_err(writing)?;
        }
        if self.force {
            self.file.persist(&self.target).map_err(|error| writing(error.error))?;
        } else {
            self.file.persist_noclobber(&self.target).map_err(|error| {
                match error.error.kind() {
                    io::ErrorKind::AlreadyExists => exists(&name),
                    _ => writing(error.error),
                }
            })?;
        }
        sync_folder(&self.target).map_err(writing)
    }
}

impl Write for Aside {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.as_file_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_file_mut().flush()
    }
}

/// Writes a small file (receipt, policy) whole or not at all.
///
/// # Errors
/// [`IoErrorKind::Usage`] when it exists and `force` is not given, else what the operating
/// system says.
pub fn write_whole(path: &Path, bytes: &[u8], force: bool) -> Result<(), IoError> {
    let name = path.display().to_string();
    let mut sink = Sink::create(&Output::File(path.to_owned()), force)?;
    sink.write_all(bytes).map_err(|error| IoError::writing(&name, &error))?;
    sink.finish(&name, 0)?.commit()?;
    Ok(())
}

/// Makes the folders that a path stands in, where they are missing.
///
/// # Errors
/// [`IoErrorKind::Usage`] when a part of the path is a file, else what the operating system says.
pub fn make_folder_of(path: &Path) -> Result<(), IoError> {
    let Some(folder) = path.parent() else { return Ok(()) };
    fs::create_dir_all(folder).map_err(|error| {
        let error = match error.kind() {
            // What stands where a folder should is a file.
            io::ErrorKind::AlreadyExists => io::ErrorKind::NotADirectory.into(),
            _ => error,
        };
        IoError::writing(&path.display().to_string(), &error)
    })
}

/// Whether two paths name one file: by links of any kind, or by spelling.
/// A path that does not exist yet is compared by its folder and name.
#[must_use]
pub fn same_file(a: &Path, b: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        if let (Ok(a), Ok(b)) = (fs::metadata(a), fs::metadata(b)) {
            return (a.dev(), a.ino()) == (b.dev(), b.ino());
        }
    }
    settled(a) == settled(b)
}

/// SHA-256 of a file's bytes, lower-case hex.
///
/// # Errors
/// The file cannot be opened or read.
pub fn sha256_file(path: &Path) -> Result<String, IoError> {
    let name = path.display().to_string();
    let (mut file, _) = open_file(path, &name)?;
    let mut hash = Sha256::new();
    let mut block = vec![0; BUFFER_BYTES];
    loop {
        match file.read(&mut block) {
            Ok(0) => return Ok(hex(&hash.finalize())),
            Ok(read) => hash.update(&block[..read]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(IoError::reading(&name, &error)),
        }
    }
}

fn exists(name: &str) -> IoError {
    IoError::new(
        IoErrorKind::Usage,
        name,
        "the output exists; choose another name or replace it with `--force`",
    )
}

/// A path without links, as far as it exists.
fn settled(path: &Path) -> PathBuf {
    if let Ok(settled) = fs::canonicalize(path) {
        return settled;
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    match (fs::canonicalize(folder), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}

/// A rename is on the disk only once its folder is.
fn sync_folder(target: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        let folder = match target.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        match fs::File::open(folder)?.sync_all() {
            // Some network file systems have no folders to sync.
            Err(error) if error.kind() != io::ErrorKind::InvalidInput => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Bytes handed to the operating system at a time.
const BUFFER_BYTES: usize = 256 << 10;
