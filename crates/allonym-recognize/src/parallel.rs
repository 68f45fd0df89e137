//! Many small pieces of work, shared among threads.

use std::panic::resume_unwind;
use std::thread;

/// The results in the order of the items, whatever the number of threads.
pub(crate) fn map<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let threads = cores.min(THREADS_MAX).min(items.len() / ITEMS_MIN);
    if threads < 2 {
        return items.iter().map(work).collect();
    }
    let work = &work;
    // Neighbours are alike and go to different threads.
    let share = |first: usize| items.iter().skip(first).step_by(threads).map(work);
    let mut shares = thread::scope(|scope| {
        let others: Vec<_> = (1..threads)
            .map(|first| scope.spawn(move || share(first).collect::<Vec<R>>()))
            .collect();
        let own: Vec<R> = share(0).collect();
        let others = others
            .into_iter()
            .map(|other| other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        std::iter::once(own).chain(others).map(Vec::into_iter).collect::<Vec<_>>()
    });
    (0..items.len()).filter_map(|index| shares[index % threads].next()).collect()
}

/// More threads than this save little on what takes well below a second.
const THREADS_MAX: usize = 8;
/// Fewest items for which a thread is worth its start.
const ITEMS_MIN: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order() {
        for count in [0, 1, 31, 32, 33, 1000] {
            let items: Vec<usize> = (0..count).collect();
            let doubled: Vec<usize> = items.iter().map(|item| item * 2).collect();
            assert_eq!(map(&items, |item| item * 2), doubled);
        }
    }

    #[test]
    #[should_panic(expected = "item 40")]
    fn a_panic_comes_through() {
        let items: Vec<usize> = (0..100).collect();
        map(&items, |item| assert!(*item != 40, "item {item}"));
    }
}
