//! Batches through a plan: several at a time, out in the order they came in, a bounded number in
//! flight.

use crate::{Failure, Result};
use allonym_core::{Plan, Position, Treated};
use allonym_io::{Chunk, Dress};
use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, SchemaRef};
use crossbeam_channel::bounded;
use rayon::prelude::*;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A flag that asks a run to stop; checked between batches.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// The flag itself, for a signal handler.
    #[must_use]
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }

    /// Asks to stop.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether somebody asked to stop.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// # Errors
    /// Exit 130 once somebody asked to stop.
    pub fn check(&self) -> Result<()> {
        if self.is_cancelled() { Err(Failure::interrupted()) } else { Ok(()) }
    }
}

/// Drives chunks of one document through a plan: a reading thread, `threads` treating threads and
/// the caller, which writes. At most `2 * threads + 2` chunks exist at any time, so a slow chunk
/// holds the rest up instead of filling memory.
pub(crate) fn drive(
    mut read: impl FnMut() -> Result<Option<Chunk>> + Send,
    plan: &Plan,
    document: &str,
    threads: usize,
    cancel: &Cancel,
    mut write: impl FnMut(&Treated, &Dress) -> Result<()>,
) -> Result<()> {
    let threads = threads.max(1);
    let in_flight = 2 * threads + 2;
    let (credit_in, credit_out) = bounded::<()>(in_flight);
    for _ in 0..in_flight {
        credit_in.send(()).expect("the channel has room for every credit");
    }
    let (work_in, work_out) = bounded::<(u64, Chunk)>(in_flight);
    let (done_in, done_out) = bounded::<(u64, Result<(Treated, Dress)>)>(in_flight + 1);

    std::thread::scope(|scope| {
        // Owned in here, so that returning early closes it and the reader ends.
        let credit_in = credit_in;
        let reader_done = done_in.clone();
        scope.spawn(move || {
            let mut sequence = 0;
            // Ends when the caller stops taking (credits gone) or the input is at its end.
            while credit_out.recv().is_ok() {
                match cancel.check().and_then(|()| read()) {
                    Ok(Some(chunk)) => {
                        if work_in.send((sequence, chunk)).is_err() {
                            return;
                        }
                        sequence += 1;
                    }
                    Ok(None) => return,
                    Err(failure) => {
                        // The receiver may have gone after another failure, which then counts.
                        drop(reader_done.send((sequence, Err(failure))));
                        return;
                    }
                }
            }
        });
        for _ in 0..threads {
            let (work_out, done_in) = (work_out.clone(), done_in.clone());
            scope.spawn(move || {
                for (sequence, chunk) in work_out {
                    let at = Position { document, first_row: chunk.first_row };
                    let treated = cancel
                        .check()
                        .and_then(|()| plan.apply(&chunk.records, at).map_err(Failure::from))
                        .map(|treated| (treated, chunk.dress));
                    if done_in.send((sequence, treated)).is_err() {
                        return;
                    }
                }
            });
        }
        drop((work_out, done_in));

        let mut waiting = BTreeMap::new();
        let mut next = 0;
        for (sequence, treated) in done_out {
            waiting.insert(sequence, treated);
            while let Some(treated) = waiting.remove(&next) {
                // Returning drops the channels, and every thread ends. The first failure in row
                // order is the one reported, whatever the timing.
                let (treated, dress) = treated?;
                write(&treated, &dress)?;
                next += 1;
                // The reader may have ended already, and then nobody takes it.
                let _ended = credit_in.send(()).is_err();
            }
        }
        Ok(())
    })
}

/// A plan applied to a stream of batches: itself a stream, lazy, in order.
pub struct Treatment {
    source: Box<dyn Iterator<Item = std::result::Result<RecordBatch, ArrowError>> + Send>,
    plan: Arc<Plan>,
    cancel: Cancel,
    ready: VecDeque<Treated>,
    next_row: u64,
    ended: bool,
}

impl std::fmt::Debug for Treatment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Treatment")
            .field("plan", &self.plan)
            .field("next_row", &self.next_row)
            .finish_non_exhaustive()
    }
}

/// Applies a plan to a stream of batches. Batches are cut to at most 65,536 rows and treated
/// several at a time on the rayon pool.
pub fn treat_stream(
    source: impl Iterator<Item = std::result::Result<RecordBatch, ArrowError>> + Send + 'static,
    plan: Arc<Plan>,
    cancel: Cancel,
) -> Treatment {
    Treatment {
        source: Box::new(source),
        plan,
        cancel,
        ready: VecDeque::new(),
        next_row: 0,
        ended: false,
    }
}

impl Treatment {
    /// Schema of the batches that come out.
    #[must_use]
    pub fn schema(&self) -> &SchemaRef {
        self.plan.output_schema()
    }

    fn refill(&mut self) -> Result<()> {
        self.cancel.check()?;
        let mut slices = Vec::new();
        while slices.len() < 2 * rayon::current_num_threads() {
            let Some(batch) = self.source.next() else {
                self.ended = true;
                break;
            };
            let batch = batch?;
            let mut from = 0;
            while from < batch.num_rows() {
                let rows = STREAM_ROWS_MAX.min(batch.num_rows() - from);
                slices.push((self.next_row, batch.slice(from, rows)));
                self.next_row += rows as u64;
                from += rows;
            }
        }
        let treated: Vec<Result<Treated>> = slices
            .par_iter()
            .map(|(first_row, batch)| {
                self.cancel.check()?;
                let at = Position { document: "", first_row: *first_row };
                Ok(self.plan.apply(batch, at)?)
            })
            .collect();
        for treated in treated {
            self.ready.push_back(treated?);
        }
        Ok(())
    }
}

impl Iterator for Treatment {
    type Item = Result<Treated>;

    fn next(&mut self) -> Option<Result<Treated>> {
        while self.ready.is_empty() && !self.ended {
            if let Err(failure) = self.refill() {
                self.ended = true;
                return Some(Err(failure));
            }
        }
        self.ready.pop_front().map(Ok)
    }
}

const STREAM_ROWS_MAX: usize = 65_536;
