//! Checkpoints: how large the tree is and what its root is, as a signed note that anybody may keep.
//!
//! The form is that of C2SP `tlog-checkpoint` and `signed-note`, so that witnesses and verifiers of
//! others can read it.

use crate::tree::Hash;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};
use std::fmt;
use zeroize::Zeroizing;

/// Size and root of the tree of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log; a name that no other log has.
    pub origin: String,
    /// Entries.
    pub size: u64,
    /// Root of the tree over them.
    pub root: Hash,
}

impl Checkpoint {
    fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root.0))
    }

    fn parse(text: &str) -> Option<Checkpoint> {
        let mut lines = text.lines();
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        // Further lines may stand there and say what this reader need not know.
        let number: u64 = size.parse().ok()?;
        let root: [u8; 32] = STANDARD.decode(root).ok()?.try_into().ok()?;
        let one_spelling = number.to_string() == size && !origin.is_empty();
        one_spelling.then(|| Checkpoint {
            origin: origin.to_owned(),
            size: number,
            root: Hash(root),
        })
    }
}

/// Signs checkpoints. Neither cloned nor printed; the key is wiped on drop.
///
/// ```compile_fail
/// fn cloned<T: Clone>() {}
/// cloned::<allonym_ledger::Signer>();
/// ```
pub struct Signer {
    name: String,
    key: SigningKey,
}

impl Signer {
    /// A signer of a name (as the note will show it, without spaces and plus signs) from the seed of
    /// an Ed25519 key (RFC 8032).
    ///
    /// # Errors
    /// A name that a note cannot hold.
    pub fn new(name: &str, seed: &Zeroizing<[u8; 32]>) -> Result<Signer, NoteError> {
        if !is_key_name(name) {
            return Err(NoteError::Name);
        }
        Ok(Signer { name: name.to_owned(), key: SigningKey::from_bytes(seed) })
    }

    /// What others need to check its signatures.
    #[must_use]
    pub fn verifier(&self) -> Verifier {
        Verifier { name: self.name.clone(), key: self.key.verifying_key() }
    }

    /// The checkpoint as a signed note.
    ///
    /// # Errors
    /// An origin that is empty or has a line break.
    pub fn sign(&self, checkpoint: &Checkpoint) -> Result<String, NoteError> {
        let origin = &checkpoint.origin;
        if origin.is_empty() || origin.chars().any(char::is_control) {
            return Err(NoteError::Origin);
        }
        let text = checkpoint.text();
        let mut signature = self.verifier().id().to_vec();
        signature.extend(self.key.sign(text.as_bytes()).to_bytes());
        Ok(format!("{text}\n{DASH}{} {}\n", self.name, STANDARD.encode(signature)))
    }
}

impl Signer {
    /// Signs a document of a kind (a name without line break, such as `allonym.receipt/1`): the
    /// signature, as [`Verifier::check_document`] takes it.
    #[must_use]
    pub fn sign_document(&self, kind: &str, document: &[u8]) -> String {
        STANDARD.encode(self.key.sign(document_text(kind, document).as_bytes()).to_bytes())
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Checks signatures of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verifier {
    name: String,
    key: VerifyingKey,
}

impl Verifier {
    /// Reads a verifier key, `NAME+ID+KEY`, as its `Display` writes it.
    ///
    /// # Errors
    /// A text that is none, or whose id is not that of its name and key.
    pub fn parse(text: &str) -> Result<Verifier, NoteError> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteError::Key);
        };
        let bytes = STANDARD.decode(key).map_err(|_| NoteError::Key)?;
        let [ED25519, key @ ..] = bytes.as_slice() else { return Err(NoteError::Key) };
        let key: &[u8; 32] = key.try_into().map_err(|_| NoteError::Key)?;
        let key = VerifyingKey::from_bytes(key).map_err(|_| NoteError::Key)?;
        let verifier = Verifier { name: name.to_owned(), key };
        let own = is_key_name(name) && hex(verifier.id()) == id;
        own.then_some(verifier).ok_or(NoteError::Key)
    }

    /// Opens a signed note: the checkpoint, when this key signed it. Signatures of others, of a
    /// witness perhaps, are passed over.
    ///
    /// # Errors
    /// A text that is no signed note of a checkpoint, or one that this key did not sign.
    pub fn open(&self, note: &str) -> Result<Checkpoint, NoteError> {
        let text = self.signed_text(note)?;
        Checkpoint::parse(text).ok_or(NoteError::Form)
    }

    /// Whether this key signed a document of a kind.
    ///
    /// # Errors
    /// A signature that is none, or of another key, kind or document.
    pub fn check_document(
        &self,
        kind: &str,
        document: &[u8],
        signature: &str,
    ) -> Result<(), NoteError> {
        let bytes = STANDARD.decode(signature).map_err(|_| NoteError::Signature)?;
        let signature = Signature::from_slice(&bytes).map_err(|_| NoteError::Signature)?;
        let text = document_text(kind, document);
        self.key.verify_strict(text.as_bytes(), &signature).map_err(|_| NoteError::Signature)
    }

    /// The text above the signatures, when this key signed it.
    fn signed_text<'n>(&self, note: &'n str) -> Result<&'n str, NoteError> {
        let fits = note.len() <= NOTE_BYTES_MAX && note.ends_with('\n');
        if !fits || note.chars().any(|c| c.is_control() && c != '\n') {
            return Err(NoteError::Form);
        }
        let (text, signatures) = note.rsplit_once("\n\n").ok_or(NoteError::Form)?;
        let text = note.get(..=text.len()).ok_or(NoteError::Form)?;
        let mut signed = false;
        for line in signatures.lines() {
            let line = line.strip_prefix(DASH).ok_or(NoteError::Form)?;
            let (name, signature) = line.split_once(' ').ok_or(NoteError::Form)?;
            let signature = STANDARD.decode(signature).map_err(|_| NoteError::Form)?;
            let (id, signature) = signature.split_at_checked(4).ok_or(NoteError::Form)?;
            if name != self.name || id != self.id() {
                continue;
            }
            let signature = Signature::from_slice(signature).map_err(|_| NoteError::Signature)?;
            self.key
                .verify_strict(text.as_bytes(), &signature)
                .map_err(|_| NoteError::Signature)?;
            signed = true;
        }
        signed.then_some(text).ok_or(NoteError::OtherKey)
    }

    /// The first four bytes of the hash of name, algorithm and key.
    fn id(&self) -> [u8; 4] {
        let hash = Sha256::new()
            .chain_update(&self.name)
            .chain_update([b'\n', ED25519])
            .chain_update(self.key.as_bytes())
            .finalize();
        [hash[0], hash[1], hash[2], hash[3]]
    }
}

impl fmt::Display for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = vec![ED25519];
        key.extend(self.key.as_bytes());
        write!(f, "{}+{}+{}", self.name, hex(self.id()), STANDARD.encode(key))
    }
}

/// A note, or a key for notes, that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoteError {
    /// A key name with a space or a plus sign, or none at all.
    #[error("a key name is one word without a plus sign")]
    Name,
    /// An origin that a checkpoint cannot hold.
    #[error("the origin of a log is one line that says something")]
    Origin,
    /// Not a verifier key.
    #[error("a verifier key is written NAME+ID+KEY, and its id is that of its name and key")]
    Key,
    /// Not a signed checkpoint.
    #[error("it is no signed checkpoint")]
    Form,
    /// Signed, but by others only.
    #[error("the key that is trusted did not sign it")]
    OtherKey,
    /// The signature of the trusted key is not one of this text.
    #[error("its signature is not that of its text")]
    Signature,
}

/// What is signed of a document. Its second line is no number, so that no signature of a document
/// is one of a checkpoint.
fn document_text(kind: &str, document: &[u8]) -> String {
    let digest = Hash(Sha256::digest(document).into());
    format!("allonym.document/1\n{kind}\n{digest}\n")
}

fn is_key_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
}

fn hex(id: [u8; 4]) -> String {
    format!("{:08x}", u32::from_be_bytes(id))
}

/// What a signature line begins with: an em dash and a space.
const DASH: &str = "\u{2014} ";
/// The algorithm of the key, in ids and verifier keys.
const ED25519: u8 = 1;
const NOTE_BYTES_MAX: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the Go project's documentation of signed notes.
    const NAME: &str = "PeterNeumann";
    const SEED: &str = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    const KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const NOTE: &str = "If you think cryptography is the answer to your problem,\n\
        then you don't know what your problem is.\n\n\
        \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    fn signer(name: &str, seed: u8) -> Signer {
        Signer::new(name, &Zeroizing::new([seed; 32])).unwrap()
    }

    fn checkpoint() -> Checkpoint {
        let origin = "allonym.example/claims".to_owned();
        Checkpoint { origin, size: 42, root: Hash::leaf(b"root") }
    }

    #[test]
    fn the_published_note_opens_with_the_published_key() {
        let verifier = Verifier::parse(KEY).unwrap();
        assert_eq!(verifier.to_string(), KEY);
        let text = verifier.signed_text(NOTE).unwrap();
        assert!(text.ends_with("what your problem is.\n"));
        assert_eq!(verifier.open(NOTE), Err(NoteError::Form));
        let seed = STANDARD.decode(SEED).unwrap();
        let seed: [u8; 32] = seed[1..].try_into().unwrap();
        let signer = Signer::new(NAME, &Zeroizing::new(seed)).unwrap();
        assert_eq!(signer.verifier(), verifier);
        let signature = signer.key.sign(text.as_bytes()).to_bytes();
        let told = STANDARD.encode([&verifier.id()[..], &signature].concat());
        assert!(NOTE.contains(&told), "{told}");
    }

    #[test]
    fn a_checkpoint_comes_back_from_its_note() {
        let signer = signer("ledger.example", 7);
        let note = signer.sign(&checkpoint()).unwrap();
        assert!(note.starts_with("allonym.example/claims\n42\n"));
        assert_eq!(signer.verifier().open(&note), Ok(checkpoint()));
        // A witness signs below; a line of its own stands in the text of others.
        let other = Signer::new("witness.example", &Zeroizing::new([9; 32])).unwrap();
        let second = other.sign(&checkpoint()).unwrap();
        let both = format!("{note}{}", second.rsplit_once("\n\n").unwrap().1);
        assert_eq!(signer.verifier().open(&both), Ok(checkpoint()));
        assert_eq!(other.verifier().open(&both), Ok(checkpoint()));
    }

    #[test]
    fn what_was_changed_does_not_open() {
        let signer = signer("ledger.example", 7);
        let verifier = signer.verifier();
        let note = signer.sign(&checkpoint()).unwrap();
        for (changed, error) in [
            (note.replace("\n42\n", "\n41\n"), NoteError::Signature),
            (note.replace("claims", "clains"), NoteError::Signature),
            (note.replace("ledger.example", "ledger.exampel"), NoteError::OtherKey),
            (note.replace('\u{2014}', "-"), NoteError::Form),
            (note.trim_end().to_owned(), NoteError::Form),
            (note.replace("\n\n", "\n"), NoteError::Form),
            (format!("{note}\u{1}\n"), NoteError::Form),
            (String::new(), NoteError::Form),
        ] {
            assert_eq!(verifier.open(&changed), Err(error), "{changed}");
        }
        assert_eq!(
            self::signer("ledger.example", 8).verifier().open(&note),
            Err(NoteError::OtherKey)
        );
        let spellings = Checkpoint::parse("o\n042\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n");
        assert_eq!(spellings, None);
    }

    #[test]
    fn documents_are_signed_by_kind_and_are_no_checkpoints() {
        let signer = signer("ledger.example", 7);
        let verifier = signer.verifier();
        let signature = signer.sign_document("allonym.receipt/1", b"{}");
        assert_eq!(verifier.check_document("allonym.receipt/1", b"{}", &signature), Ok(()));
        for (kind, document) in [("allonym.receipt/1", &b"{ }"[..]), ("allonym.check/1", b"{}")] {
            let refused = verifier.check_document(kind, document, &signature);
            assert_eq!(refused, Err(NoteError::Signature));
        }
        for wrong in ["", "!", signature.get(4..).unwrap(), &signature.to_lowercase()] {
            let refused = verifier.check_document("allonym.receipt/1", b"{}", wrong);
            assert_eq!(refused, Err(NoteError::Signature), "{wrong}");
        }
        let other = self::signer("ledger.example", 8).verifier();
        assert!(other.check_document("allonym.receipt/1", b"{}", &signature).is_err());
        assert_eq!(Checkpoint::parse(&document_text("7", b"{}")), None);
    }

    #[test]
    fn keys_and_names_that_are_none_are_refused() {
        for text in [
            "",
            "PeterNeumann",
            "PeterNeumann+c74f20a3",
            "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "PeterNeuman+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "PeterNeumann+c74f20a3+Ahpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "PeterNeumann+c74f20a3+!",
        ] {
            assert_eq!(Verifier::parse(text), Err(NoteError::Key), "{text}");
        }
        for name in ["", "two words", "a+b", "a\nb"] {
            let refused = Signer::new(name, &Zeroizing::new([1; 32])).unwrap_err();
            assert_eq!(refused, NoteError::Name);
        }
        let nameless = Checkpoint { origin: String::new(), ..checkpoint() };
        assert_eq!(signer("n", 1).sign(&nameless), Err(NoteError::Origin));
        assert_eq!(format!("{:?}", signer("n", 1)), "Signer { name: \"n\", .. }");
    }
}
