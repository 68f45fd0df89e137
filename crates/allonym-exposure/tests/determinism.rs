//! The same numbers, bit for bit, whatever the threads, the layout, the source and the order.
#![expect(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

use allonym_exposure::{
    Layout, Lira, Matrix, Mode, NpyArray, Population, RecordOptions, References, Rmia, Roc, Series,
    TLira, Variance, compare, offset, records,
};
use std::io::Write as _;

const REFERENCES: usize = 9;
/// More than one block of records.
const RECORDS: usize = 9_000;

/// Every number that comes out, as bits, by record where it is of a record.
#[derive(Debug, PartialEq)]
struct Outcome {
    by_record: Vec<Vec<u64>>,
    whole: Vec<u64>,
}

fn outcome(audit: &Audit, references: &References<'_>) -> Outcome {
    let conf = &audit.target;
    let others = &audit.population[100..];
    let population = Population {
        target: Series::from(&audit.population[..100]),
        references: Matrix::new(others, Layout::ByReference, REFERENCES, 100).unwrap(),
    };
    let lira = |variance| Lira { variance, ..Lira::default() }.score(conf, references).unwrap();
    let scores = [
        lira(Variance::PerRecord),
        lira(Variance::Fixed),
        lira(Variance::AuthorsFixed),
        TLira::default().score(conf, references).unwrap(),
        TLira { mode: Mode::Offline, ..TLira::default() }.score(conf, references).unwrap(),
        offset(conf, references, Mode::Online).unwrap(),
        Rmia::default().score(conf, references, &population).unwrap().share,
        Rmia::default().score(conf, references, &population).unwrap().ratio,
    ];
    let exposures = records(references, &RecordOptions::default()).unwrap();
    let by_record = (0..RECORDS).map(|record| {
        let exposure = exposures[record];
        let of_scores = scores.iter().map(|scores| scores.values[record]);
        let of_record = [exposure.likelihood_ratio, exposure.flagged.low, exposure.percentile];
        of_scores.chain(of_record).map(f64::to_bits).collect()
    });
    let roc = Roc::new(&scores[3].values, &audit.is_member).unwrap();
    let told = compare(&scores[0].values, &scores[3].values, &audit.is_member, 0.01, 0.95).unwrap();
    let whole = [
        roc.auc(),
        roc.auc_standard_error(),
        roc.tpr_at(0.01, 0.95).unwrap().band.low,
        told.auc_difference.low,
        told.tpr_p_value,
    ];
    Outcome { by_record: by_record.collect(), whole: whole.map(f64::to_bits).to_vec() }
}

#[test]
fn threads_do_not_matter() {
    let audit = Audit::draw();
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| outcome(&audit, &audit.references()))
    };
    let one = run(1);
    assert!(one == run(2) && one == run(7));
}

#[test]
fn layout_and_source_do_not_matter() {
    let audit = Audit::draw();
    let expected = outcome(&audit, &audit.references());
    let turned = |values: &[f64]| -> Vec<f64> {
        (0..RECORDS)
            .flat_map(|record| (0..REFERENCES).map(move |k| values[k * RECORDS + record]))
            .collect()
    };
    let signals = turned(&audit.signals);
    let is_in = |value: f64| value != 0.0;
    let numbers: Vec<f64> =
        audit.members.iter().map(|&member| f64::from(u8::from(member))).collect();
    let members: Vec<bool> = turned(&numbers).into_iter().map(is_in).collect();
    let by_record = References::new(
        Matrix::new(&signals[..], Layout::ByRecord, REFERENCES, RECORDS).unwrap(),
        Matrix::new(&members[..], Layout::ByRecord, REFERENCES, RECORDS).unwrap(),
    );
    assert!(outcome(&audit, &by_record.unwrap()) == expected);

    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, kind: &str, order: &str, body: &[u8]| {
        let shape = format!("({REFERENCES}, {RECORDS})");
        let text = format!("{{'descr': '{kind}', 'fortran_order': {order}, 'shape': {shape}, }}\n");
        let path = folder.path().join(name);
        let mut file = std::fs::File::create(&path).unwrap();
        file.write_all(b"\x93NUMPY\x01\x00").unwrap();
        file.write_all(&u16::try_from(text.len()).unwrap().to_le_bytes()).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file.write_all(body).unwrap();
        NpyArray::open(path).unwrap()
    };
    let bytes =
        |values: &[f64]| -> Vec<u8> { values.iter().flat_map(|v| v.to_le_bytes()).collect() };
    let flags = |values: &[bool]| -> Vec<u8> { values.iter().map(|&v| u8::from(v)).collect() };
    let signals_file = write("signals.npy", "<f8", "True", &bytes(&signals));
    let members_file = write("members.npy", "|b1", "False", &flags(&audit.members));
    let from_file = References::new(
        Matrix::file(&signals_file, Layout::ByReference).unwrap(),
        Matrix::file(&members_file, Layout::ByReference).unwrap(),
    );
    assert!(outcome(&audit, &from_file.unwrap()) == expected);
}

#[test]
fn the_order_of_records_does_not_matter() {
    let audit = Audit::draw();
    let expected = outcome(&audit, &audit.references());
    // A walk through all records: 7 and 9,000 have no common factor.
    let order: Vec<usize> = (0..RECORDS).map(|at| (at * 7 + 3) % RECORDS).collect();
    let mixed = Audit {
        target: order.iter().map(|&record| audit.target[record]).collect(),
        is_member: order.iter().map(|&record| audit.is_member[record]).collect(),
        signals: (0..REFERENCES)
            .flat_map(|k| order.iter().map(move |record| k * RECORDS + record))
            .map(|at| audit.signals[at])
            .collect(),
        members: (0..REFERENCES)
            .flat_map(|k| order.iter().map(move |record| k * RECORDS + record))
            .map(|at| audit.members[at])
            .collect(),
        population: audit.population,
    };
    let found = outcome(&mixed, &mixed.references());
    assert_eq!(found.whole, expected.whole);
    let same = |(at, record): (usize, &usize)| found.by_record[at] == expected.by_record[*record];
    assert!(order.iter().enumerate().all(same));
}

struct Audit {
    target: Vec<f64>,
    is_member: Vec<bool>,
    signals: Vec<f64>,
    members: Vec<bool>,
    population: Vec<f64>,
}

impl Audit {
    /// Confidences from a fixed generator, with ties, a few of them no numbers.
    fn draw() -> Audit {
        let mut state = 11_u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            u16::try_from(state >> 48).unwrap()
        };
        let mut confidences = |count: usize| -> Vec<f64> {
            (0..count).map(|_| f64::from(next() >> 3) / 8_192.0).collect()
        };
        let (mut signals, coins) =
            (confidences(REFERENCES * RECORDS), confidences(REFERENCES * RECORDS));
        signals[17] = f64::NAN;
        let target = confidences(RECORDS);
        let population = confidences(100 * (REFERENCES + 1));
        let is_member = confidences(RECORDS).iter().map(|coin| *coin < 0.5).collect();
        let members = coins.iter().map(|coin| *coin < 0.5).collect();
        Audit { target, is_member, signals, members, population }
    }

    fn references(&self) -> References<'_> {
        References::new(
            Matrix::new(&self.signals[..], Layout::ByReference, REFERENCES, RECORDS).unwrap(),
            Matrix::new(&self.members[..], Layout::ByReference, REFERENCES, RECORDS).unwrap(),
        )
        .unwrap()
    }
}
