//! What `expire` and `erase` need alike before they begin, and say alike when they have ended.

use crate::arguments::WorkArguments;
use crate::policy;
use crate::session::{Session, clock_of_machine};
use allonym::ledger::Scribe;
use allonym::{
    Anchors, Environment, Expanded, Failure, Policy, PolicySource, Progress, Result, Work, expand,
};
use std::path::PathBuf;

/// A job's surroundings, found.
pub(crate) struct Ready<'a> {
    arguments: &'a WorkArguments,
    policy: Box<Policy>,
    folder: PathBuf,
    as_of: jiff::Timestamp,
    environment: Environment,
    ledger: Option<PathBuf>,
}

impl<'a> Ready<'a> {
    /// Finds policy, date, keys and ledger. `what` is what a policy has to say, in words.
    pub(crate) fn new(
        arguments: &'a WorkArguments,
        what: &str,
        hint: &str,
        session: &mut Session,
    ) -> Result<Ready<'a>> {
        let PolicySource::Given { policy, folder } =
            policy::find(arguments.policy.as_deref(), &session.environment)?
        else {
            let message = format!("there is no policy that says {what}");
            return Err(Failure::new("ALO-R001", 2, message).hint(hint));
        };
        let now = session.clock(arguments.as_of.as_deref())?;
        let as_of = now()
            .parse()
            .map_err(|_| Failure::new("ALO-U005", 2, "the date is no RFC 3339 time"))?;
        let environment = arguments.keys.environment(session);
        let ledger = arguments.keys.ledger(Some((policy.keys(), &folder)), &environment);
        Ok(Ready { arguments, policy, folder, as_of, environment, ledger })
    }

    /// The files that were named; none where they are of one table.
    pub(crate) fn inputs(
        arguments: &WorkArguments,
        of_table: bool,
        session: &mut Session,
    ) -> Result<Expanded> {
        if of_table {
            return Ok(Expanded::default());
        }
        let inputs = expand(&arguments.paths)?;
        for skipped in &inputs.skipped {
            session.note(&format!("left out `{skipped}`: not a format that is read"));
        }
        Ok(inputs)
    }

    pub(crate) fn work<'w>(
        &'w self,
        inputs: Expanded,
        session: &Session,
        progress: &'w (dyn Fn(Progress<'_>) + Sync),
    ) -> Work<'w> {
        let WorkArguments { keys, read, collected_at, events, yes, receipts, .. } = self.arguments;
        Work {
            inputs: inputs.found,
            policy: &self.policy,
            folder: &self.folder,
            keys: keys.keys.clone(),
            environment: &self.environment,
            read: read.options(),
            as_of: self.as_of,
            anchors: Anchors {
                collected_at: collected_at.clone(),
                events: events.iter().cloned().collect(),
            },
            apply: *yes,
            receipts: receipts.clone(),
            scribe: Scribe {
                place: self.ledger.as_deref(),
                actor: self.environment.actor(),
                clock: &clock_of_machine,
            },
            cancel: session.cancel.clone(),
            progress,
        }
    }
}

/// What a job says when it has ended, around what it tells.
pub(crate) struct Ended<'a> {
    /// `evidence` or `certificate`.
    pub(crate) document: &'a str,
    pub(crate) unrecorded: Option<&'a String>,
    pub(crate) resumed: bool,
    pub(crate) as_of: &'a str,
}

impl Ended<'_> {
    pub(crate) fn say(&self, session: &mut Session) {
        let document = self.document;
        if let Some(why) = self.unrecorded {
            session.note(&format!(
                "this run stands in no ledger and its {document} is not signed: {why}"
            ));
        }
        if self.resumed {
            session.say(&format!("went on with the run of {}", self.as_of));
        }
    }

    /// Where the document is, and that a plan was only a plan.
    pub(crate) fn say_where(&self, place: Option<&PathBuf>, is_plan: bool, session: &mut Session) {
        if let Some(path) = place {
            session.say(&format!("{}: {}", self.document, path.display()));
        }
        if is_plan {
            session.say("dry run: nothing was written");
        }
    }
}
