//! Scoring a large audit: 254 references over 50,000 records, and the one-run bound over 100,000
//! coins. `benches/peer.py` times the same formulas in NumPy on the same made-up signals.

use allonym_exposure::{
    Layout, Lira, Matrix, Mode, Population, References, Rmia, Series, TLira, one_run_epsilon,
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;

const REFERENCES: usize = 254;
const RECORDS: usize = 50_000;
const POPULATION: usize = 2_500;

/// Signals of the size of the audit, from a fixed generator.
struct Audit {
    logits: Vec<f32>,
    confidences: Vec<f32>,
    members: Vec<bool>,
    population: Vec<f32>,
}

impl Audit {
    fn draw() -> Audit {
        let mut state = 1_u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        let mut logit = || {
            let bits = u16::try_from(next() >> 48).expect("sixteen bits are left");
            8.0 * f32::from(bits) / 65_536.0 - 2.0
        };
        let confidence = |logit: &f32| 1.0 / (1.0 + (-logit).exp());
        let logits: Vec<f32> = (0..=REFERENCES).flat_map(|_| 0..RECORDS).map(|_| logit()).collect();
        let confidences = logits.iter().map(confidence).collect();
        let population: Vec<f32> =
            (0..=REFERENCES).flat_map(|_| 0..POPULATION).map(|_| logit()).collect();
        let population = population.iter().map(confidence).collect();
        let members = logits.iter().map(|logit| (logit * 4096.0).rem_euclid(2.0) < 1.0).collect();
        Audit { logits, confidences, members, population }
    }

    fn references<'a>(&'a self, signals: &'a [f32]) -> References<'a> {
        let signals = &signals[RECORDS..];
        let members = &self.members[RECORDS..];
        References::new(
            Matrix::new(signals, Layout::ByReference, REFERENCES, RECORDS).expect("it fits"),
            Matrix::new(members, Layout::ByReference, REFERENCES, RECORDS).expect("it fits"),
        )
        .expect("masks have the shape of the signals")
    }
}

fn attacks(criterion: &mut Criterion) {
    let audit = Audit::draw();
    let logits = audit.references(&audit.logits);
    let confidences = audit.references(&audit.confidences);
    let others = &audit.population[POPULATION..];
    let others = Population {
        target: Series::from(&audit.population[..POPULATION]),
        references: Matrix::new(others, Layout::ByReference, REFERENCES, POPULATION)
            .expect("it fits"),
    };
    let (logit, conf) = (&audit.logits[..RECORDS], &audit.confidences[..RECORDS]);
    let mut group = criterion.benchmark_group("254 references x 50,000 records");
    group.sample_size(10).throughput(Throughput::Elements(RECORDS as u64));
    for threads in [1, 2] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = pool.expect("the system gives a thread");
        let mut bench = |name: &str, work: &(dyn Fn() + Sync)| {
            group.bench_function(format!("{name}/{threads} threads"), |bencher| {
                bencher.iter(|| pool.install(work));
            });
        };
        bench("RMIA online", &|| {
            black_box(Rmia::default().score(conf, &confidences, &others).expect("it fits"));
        });
        bench("RMIA offline", &|| {
            let rmia = Rmia { mode: Mode::Offline, ..Rmia::default() };
            black_box(rmia.score(conf, &confidences, &others).expect("it fits"));
        });
        bench("LiRA online", &|| {
            black_box(Lira::default().score(logit, &logits).expect("it fits"));
        });
        bench("t-LiRA online", &|| {
            black_box(TLira::default().score(logit, &logits).expect("it fits"));
        });
    }
    group.finish();
}

fn bounds(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("one-run bound, 100,000 coins");
    for (guesses, correct) in [(100_000, 60_000), (100_000, 99_000), (10_000, 9_500)] {
        group.bench_function(format!("{correct} of {guesses} right"), |bencher| {
            bencher.iter(|| one_run_epsilon(100_000, black_box(guesses), correct, 1e-6, 0.05));
        });
    }
    group.finish();
}

criterion_group!(benches, attacks, bounds);
criterion_main!(benches);
