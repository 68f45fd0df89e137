use allonym_keys::{Key, KeyError, Keyring, Unlock};
use std::path::Path;

fn key(path: &Path) -> Result<Key<'static>, KeyError> {
    let ring = Keyring::open(path, &Unlock::LocalFile)?;
    ring.key(None, "default")
}

fn main() {
    let _ = key(Path::new("a.keyring"));
}
