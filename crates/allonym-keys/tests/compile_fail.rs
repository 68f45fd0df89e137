//! What the type of a secret must refuse, held by the compiler.

use allonym_keys::{Keyring, Tokenizer};

#[test]
fn secrets_have_no_way_out() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}

#[test]
fn what_threads_share_may_be_shared() {
    fn shared<T: Send + Sync>() {}
    shared::<Keyring>();
    shared::<Tokenizer>();
}
