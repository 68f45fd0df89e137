use allonym_keys::{Key, Keyring, Passphrase, Tokenizer};

fn secret<T: Clone>() {}

fn main() {
    secret::<Keyring>();
    secret::<Key<'static>>();
    secret::<Tokenizer>();
    secret::<Passphrase>();
}
