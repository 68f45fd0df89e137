//! Arrow IPC: files (Feather version 2) and streams.

mod keys;
pub(crate) mod read;
pub(crate) mod write;

use arrow_ipc::CompressionType;
use std::sync::Arc;

/// What a writer needs to write like the input.
#[derive(Clone, Debug)]
pub(crate) struct IpcShape {
    /// A stream; else a file with a footer.
    pub(crate) stream: bool,
    /// Codec of the buffers.
    pub(crate) codec: Option<CompressionType>,
    /// Footer key-values, sorted; those of the schema are in the schema.
    pub(crate) footer: Arc<[(String, String)]>,
    /// Rows come from an Arrow file, whose dictionaries mean something.
    pub(crate) from_arrow: bool,
}

impl IpcShape {
    /// For rows that come from no Arrow file.
    pub(crate) fn fresh() -> IpcShape {
        IpcShape { stream: false, codec: None, footer: Arc::from([]), from_arrow: false }
    }
}
