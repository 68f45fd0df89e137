//! `allonym risk`: how far rows can be told apart, and so be linked to people.

use crate::arguments::{OutputFormat, RiskArguments};
use crate::progress::Meter;
use crate::session::Session;
use allonym::{
    Failure, PolicySource, Result, RiskGates, RiskOptions, RiskRole, RiskTable, expand,
    measure_risk, report, write_whole,
};

pub(crate) fn run(arguments: &RiskArguments, session: &mut Session) -> Result<u8> {
    if !matches!(session.format, OutputFormat::Human | OutputFormat::Json | OutputFormat::Csv) {
        let failure = Failure::new("ALO-U013", 2, "risk speaks human, json and csv");
        return Err(failure.hint("render pages with: allonym report EVIDENCE"));
    }
    let mut options = options(arguments);
    if let PolicySource::Given { policy, .. } =
        crate::policy::find(arguments.policy.as_deref(), &session.environment)?
    {
        options.gates = options.gates.or_policy(policy.gates());
    }
    let now = session.clock(arguments.as_of.as_deref())?;
    let mut tables = Vec::new();
    for (role, paths) in [
        (RiskRole::Data, arguments.paths.as_slice()),
        (RiskRole::Original, arguments.original.as_slice()),
        (RiskRole::Control, arguments.control.as_slice()),
        (RiskRole::Population, arguments.population.as_slice()),
    ] {
        if paths.is_empty() {
            continue;
        }
        let inputs = expand(paths)?;
        for skipped in &inputs.skipped {
            session.note(&format!("left out `{skipped}`: not a format that is read"));
        }
        tables.push((role, RiskTable::Files(inputs.found, Box::new(arguments.read.options()))));
    }
    let meter = Meter::new(session.progress_kind());
    let told = |file: &str, bytes, size| meter.tell("reading", file, bytes, size);
    let source = arguments.paths.join(" ");
    let evidence = measure_risk(&source, &now(), tables, &options, &session.cancel, &told);
    drop(meter);
    let evidence = evidence?;
    if let Some(to) = &arguments.to {
        write_whole(to, evidence.to_json().as_bytes(), arguments.force)?;
        session.hint(&format!("allonym report {} --to risk.html", to.display()));
    }
    match session.format {
        OutputFormat::Json => session.data(evidence.to_json().as_bytes())?,
        OutputFormat::Csv => session.data(report::risk_csv(&evidence).as_bytes())?,
        _ => session.data_line(&report::risk_text(&evidence))?,
    }
    Ok(evidence.exit())
}

fn options(arguments: &RiskArguments) -> RiskOptions {
    RiskOptions {
        quasi: arguments.quasi.clone(),
        sensitive: arguments.sensitive.clone(),
        population_size: arguments.population_size,
        population_count: arguments.population_count.clone(),
        target_k: arguments.target_k,
        left_out_max: arguments.leave_out,
        unique_share: arguments.unique_share,
        sets_max: arguments.sets_max,
        link: arguments.link.clone(),
        attempts: arguments.attempts,
        seed: arguments.seed,
        confidence: arguments.confidence,
        gates: RiskGates {
            min_k: arguments.min_k,
            max_unique: arguments.max_unique,
            min_l: arguments.min_l,
            max_t: arguments.max_t,
            max_population_unique: arguments.max_population_unique,
            max_attack: arguments.max_attack,
        },
    }
}
