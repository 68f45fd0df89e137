//! What can be typed.
#![expect(clippy::doc_markdown, reason = "these comments are the help that terminals show")]

use crate::session::Session;
use allonym::{Compression, Environment, Format, KeyReference, ReadOptions, TextEncoding};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::{Path, PathBuf};

/// Find personal data in tables and text, pseudonymize it with keyed tokens, and prove it.
#[derive(Debug, Parser)]
#[command(name = "allonym", version, about, disable_help_subcommand = true)]
#[command(after_help = "Data goes to standard output, talk to standard error; `-` is standard \
                        input. Exit codes: 0 done, 1 findings or policy breach, 2 usage, 3 bad \
                        input, 4 keys, 5 internal, 6 audit log broken or unanchored, 75 storage \
                        (retry), 130/143 interrupted.")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) global: Global,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Global {
    /// Output for people or machines
    #[arg(long, global = true, value_enum, default_value_t = OutputFormat::Human)]
    pub(crate) format: OutputFormat,
    /// Say nothing but results and errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Log more (twice: everything); never logs data
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// How log lines look
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text)]
    pub(crate) log_format: LogFormat,
    /// Colour
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub(crate) color: Color,
    /// No progress bar
    #[arg(long, global = true)]
    pub(crate) no_progress: bool,
    /// Exit 0 where findings would exit 1
    #[arg(long, global = true)]
    pub(crate) exit_zero: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    Human,
    Json,
    Jsonl,
    Csv,
    Sarif,
    Html,
    Md,
    Xlsx,
    Ropa,
    Odcs,
    Croissant,
    Openlineage,
}

impl OutputFormat {
    /// Whether only evidence is rendered so.
    pub(crate) fn is_view(self) -> bool {
        use OutputFormat as F;
        matches!(
            self,
            F::Html | F::Md | F::Xlsx | F::Ropa | F::Odcs | F::Croissant | F::Openlineage
        )
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// What personal data is in files: by column, or span by span in text
    Scan(ScanArguments),
    /// Draft a policy (allonym.toml) from a scan, a data contract, or both
    Init(InitArguments),
    /// Treat files by a policy; without one, drafts it first
    Apply(ApplyArguments),
    /// Enforce retention: what is past its date goes, in place; a plan unless --yes. A folder that is a
    /// Delta table is done as one; of an Apache Iceberg table it tells what to run in its engine
    Expire(ExpireArguments),
    /// Erase people who asked: tokens, text, a search for what is left, a certificate; a plan unless --yes
    Erase(EraseArguments),
    /// List, show and check recognition rules
    Rules(RulesArguments),
    /// Make, list and check keys
    Key(KeyArguments),
    /// Measure the detector on labelled text: precision, recall, leaks, reliability
    Eval(EvalArguments),
    /// Measure what a model gives away about who was in its training data
    Exposure {
        #[command(subcommand)]
        action: ExposureAction,
    },
    /// Measure how far rows can be told apart: k-anonymity and its kin, uniqueness, attacks
    Risk(RiskArguments),
    /// The gate: identifiers that are left, columns, retention, drift, receipts
    Check(CheckArguments),
    /// Render evidence: for people, registers, contracts, lineage, code scanning
    Report(ReportArguments),
    /// Check a receipt or evidence again: its signature, its files, its place in the ledger
    Verify(VerifyArguments),
    /// Check and anchor the ledger
    Audit(AuditArguments),
    /// Explain an error code (ALO-P003) or why a column was judged so (PATH:COLUMN)
    Explain(ExplainArguments),
    /// Print a completion script
    Completions {
        /// Shell
        shell: clap_complete::Shell,
    },
    /// Print a JSON Schema
    Schema {
        /// Of what
        #[arg(value_enum, default_value_t = SchemaName::Policy)]
        what: SchemaName,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaName {
    /// allonym.toml
    Policy,
    /// What check --format json prints
    Check,
    /// What risk --format json prints
    Risk,
    /// What exposure score --format json prints
    Exposure,
    /// What expire --format json prints
    Expire,
    /// The certificate of erase
    Certificate,
    /// What apply writes beside its output
    Receipt,
}

/// How inputs are read; everything left out is detected.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Reading")]
pub(crate) struct ReadArguments {
    /// Format of the input
    #[arg(long, value_enum)]
    pub(crate) input_format: Option<FileFormat>,
    /// Compression of the input
    #[arg(long, value_enum)]
    pub(crate) compression: Option<FileCompression>,
    /// Field delimiter of CSV: one character, or `tab`
    #[arg(long, value_parser = delimiter)]
    pub(crate) delimiter: Option<u8>,
    /// Quote character of CSV
    #[arg(long, value_parser = one_byte)]
    pub(crate) quote: Option<u8>,
    /// The CSV has no header line; columns are column_1, column_2 ...
    #[arg(long)]
    pub(crate) no_header: bool,
    /// Text encoding
    #[arg(long, value_enum)]
    pub(crate) encoding: Option<FileEncoding>,
    /// Rows treated at a time; does not change the output
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_048_576))]
    pub(crate) batch_rows: Option<u32>,
}

impl ReadArguments {
    pub(crate) fn options(&self) -> ReadOptions {
        ReadOptions {
            format: self.input_format.map(FileFormat::format),
            compression: self.compression.map(|compression| match compression {
                FileCompression::None => Compression::Plain,
                FileCompression::Gzip => Compression::Gzip,
                FileCompression::Zstd => Compression::Zstd,
            }),
            delimiter: self.delimiter,
            quote: self.quote,
            header: self.no_header.then_some(false),
            encoding: self.encoding.map(|encoding| match encoding {
                FileEncoding::Utf8 => TextEncoding::Utf8,
                FileEncoding::Utf16le => TextEncoding::Utf16Le,
                FileEncoding::Utf16be => TextEncoding::Utf16Be,
                FileEncoding::Windows1252 => TextEncoding::Windows1252,
            }),
            batch_rows: self.batch_rows.and_then(|rows| usize::try_from(rows).ok()),
            ..ReadOptions::default()
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FileFormat {
    Parquet,
    Csv,
    Jsonl,
    Ipc,
    Text,
}

impl FileFormat {
    pub(crate) fn format(self) -> Format {
        match self {
            FileFormat::Parquet => Format::Parquet,
            FileFormat::Csv => Format::Csv,
            FileFormat::Jsonl => Format::JsonLines,
            FileFormat::Ipc => Format::Ipc,
            FileFormat::Text => Format::Text,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FileCompression {
    None,
    Gzip,
    Zstd,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FileEncoding {
    #[value(name = "utf-8")]
    Utf8,
    #[value(name = "utf-16le")]
    Utf16le,
    #[value(name = "utf-16be")]
    Utf16be,
    #[value(name = "windows-1252")]
    Windows1252,
}

/// What is looked for.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Looking")]
pub(crate) struct FindArguments {
    /// Only these entities (allonym rules list)
    #[arg(long, value_delimiter = ',')]
    pub(crate) entities: Vec<String>,
    /// Only rules of these countries (ISO 3166: DE,NL) and of none
    #[arg(long, value_delimiter = ',')]
    pub(crate) countries: Vec<String>,
    /// Only context phrases of these languages (ISO 639: de,en)
    #[arg(long, value_delimiter = ',')]
    pub(crate) languages: Vec<String>,
    /// Leave findings below this score out (0 to 1)
    #[arg(long, value_parser = score)]
    pub(crate) min_score: Option<f32>,
    /// Further folders with rules
    #[arg(long)]
    pub(crate) rules: Vec<String>,
}

impl FindArguments {
    pub(crate) fn options(&self) -> allonym::FindOptions {
        allonym::FindOptions {
            entities: self.entities.clone(),
            countries: self.countries.clone(),
            languages: self.languages.clone(),
            min_score: self.min_score,
            rule_folders: self.rules.clone(),
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct ScanArguments {
    /// Files, globs or folders; `-` is standard input
    #[arg(required = true)]
    pub(crate) paths: Vec<String>,
    /// Read every row (default: a seeded sample of 50,000)
    #[arg(long)]
    pub(crate) full: bool,
    /// Rows of the sample
    #[arg(long, default_value_t = 50_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rows: u32,
    /// Seed of the sample
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// Report span by span: plain text is one document, JSON Lines one a line
    #[arg(long)]
    pub(crate) spans: bool,
    /// Field of JSON Lines that holds the text, with --spans
    #[arg(long, default_value = "text")]
    pub(crate) text_field: String,
    /// Exit 1 when found: direct, quasi, sensitive, secret, any, or entities by name
    #[arg(long, value_delimiter = ',')]
    pub(crate) fail_on: Vec<String>,
    #[command(flatten)]
    pub(crate) find: FindArguments,
    #[command(flatten)]
    pub(crate) read: ReadArguments,
}

#[derive(Debug, Args)]
pub(crate) struct InitArguments {
    /// Files, globs or folders to draft from; a data contract (ODCS, .yaml) may be among them
    #[arg(required = true)]
    pub(crate) paths: Vec<String>,
    /// Which table of the contract
    #[arg(long, value_name = "NAME")]
    pub(crate) table: Option<String>,
    /// Where the policy goes
    #[arg(long, default_value = "allonym.toml")]
    pub(crate) to: PathBuf,
    /// Add columns that the policy lacks; comments and order stay
    #[arg(long)]
    pub(crate) update: bool,
    /// Replace an existing policy
    #[arg(long, conflicts_with = "update")]
    pub(crate) force: bool,
    /// What the data is for; shown in reports
    #[arg(long, default_value = "")]
    pub(crate) purpose: String,
    /// Read every row (default: a seeded sample of 50,000)
    #[arg(long)]
    pub(crate) full: bool,
    #[command(flatten)]
    pub(crate) keys: KeySource,
    #[command(flatten)]
    pub(crate) read: ReadArguments,
}

/// Which keyring, and how it opens.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Keys")]
pub(crate) struct KeySource {
    /// Keyring: file:PATH or env:VARIABLE (default: ALLONYM_KEYS, the policy, your own)
    #[arg(long, value_name = "REFERENCE", global = true)]
    pub(crate) keys: Option<String>,
    /// File that holds the keyring's passphrase
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase_fd", global = true)]
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Open file descriptor that holds the keyring's passphrase
    #[arg(long, value_name = "N", global = true)]
    pub(crate) passphrase_fd: Option<u32>,
    /// Folder of the ledger (default: ALLONYM_LEDGER, the policy, else beside the keyring)
    #[arg(long, value_name = "FOLDER", global = true)]
    pub(crate) ledger: Option<PathBuf>,
}

impl KeySource {
    pub(crate) fn environment(&self, session: &Session) -> Environment {
        session.environment.clone().with_passphrase_file(self.passphrase())
    }

    pub(crate) fn ledger(
        &self,
        policy: Option<(&KeyReference, &Path)>,
        environment: &Environment,
    ) -> Option<PathBuf> {
        allonym::ledger::asked_place(self.ledger.as_deref(), policy, environment)
    }

    pub(crate) fn passphrase(&self) -> Option<PathBuf> {
        let descriptor = self.passphrase_fd.map(|n| PathBuf::from(format!("/dev/fd/{n}")));
        self.passphrase_file.clone().or(descriptor)
    }
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("canary_form").args(["canary_column", "canary_rows"]))]
pub(crate) struct ApplyArguments {
    /// Files, globs or folders; `-` is standard input
    #[arg(required = true)]
    pub(crate) paths: Vec<String>,
    /// File, folder (many inputs, or a name that ends in `/`), or `-` for standard output
    #[arg(long)]
    pub(crate) to: String,
    /// Policy (default: ALLONYM_POLICY, allonym.toml or pyproject.toml upward from here)
    #[arg(long)]
    pub(crate) policy: Option<PathBuf>,
    /// Print what would be done and stop
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Replace an existing output
    #[arg(long)]
    pub(crate) force: bool,
    /// Keep what an interrupted run finished
    #[arg(long)]
    pub(crate) resume: bool,
    /// Where the receipt goes (default: beside the output)
    #[arg(long)]
    pub(crate) receipt: Option<PathBuf>,
    /// When the data was collected (ISO 8601): the anchor `dataset.collected_at` of its tags
    #[arg(long, value_parser = iso_time)]
    pub(crate) collected_at: Option<String>,
    /// Format of the output (default: by its name, else the input's)
    #[arg(long, value_enum)]
    pub(crate) output_format: Option<FileFormat>,
    /// Plant canaries in this text column by keyed coins, to measure later what a model remembers
    #[arg(long, value_name = "COLUMN", conflicts_with = "resume")]
    pub(crate) canary_column: Option<String>,
    /// Plant canaries as rows that nobody is, by keyed coins, for models of tables
    #[arg(long, conflicts_with_all = ["resume", "canary_column"])]
    pub(crate) canary_rows: bool,
    /// How many coins are thrown; about half of the canaries are planted (default: 200)
    #[arg(long, requires = "canary_form", value_parser = clap::value_parser!(u32).range(2..=1_000_000))]
    pub(crate) canaries: Option<u32>,
    /// One canary in so many rows
    #[arg(long, requires = "canary_form", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) canary_every: u32,
    /// Treating threads (default: one a core); does not change the output
    #[arg(long, short, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) jobs: Option<u16>,
    /// The time that receipts state, RFC 3339 (default: SOURCE_DATE_EPOCH, else now)
    #[arg(long)]
    pub(crate) as_of: Option<String>,
    #[command(flatten)]
    pub(crate) keys: KeySource,
    #[command(flatten)]
    pub(crate) read: ReadArguments,
}

// What `expire` and `erase` are asked alike; a comment for terminals would stand above theirs.
#[derive(Debug, Args)]
pub(crate) struct WorkArguments {
    /// Files, globs or folders, written again in place
    #[arg(required = true)]
    pub(crate) paths: Vec<String>,
    /// Do it (default: tell what would be done)
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) yes: bool,
    /// Tell what would be done and stop; this is the default
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// The policy of the data (default: ALLONYM_POLICY, allonym.toml or pyproject.toml upward)
    #[arg(long)]
    pub(crate) policy: Option<PathBuf>,
    /// The date that decides, RFC 3339 (default: SOURCE_DATE_EPOCH, else now)
    #[arg(long)]
    pub(crate) as_of: Option<String>,
    /// When the data was collected, for periods counted from dataset.collected_at
    #[arg(long, value_name = "DATE")]
    pub(crate) collected_at: Option<String>,
    /// When an event happened, for periods counted from event:NAME
    #[arg(long = "event", value_name = "NAME=DATE", value_parser = named)]
    pub(crate) events: Vec<(String, String)>,
    /// Folders whose receipts tell what was made of the data
    #[arg(long, value_name = "FOLDER")]
    pub(crate) receipts: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) keys: KeySource,
    #[command(flatten)]
    pub(crate) read: ReadArguments,
}

#[derive(Debug, Args)]
pub(crate) struct ExpireArguments {
    #[command(flatten)]
    pub(crate) work: WorkArguments,
    /// Remove the files of a Delta table that only old versions need, for good
    #[arg(long)]
    pub(crate) purge: bool,
    /// Folder outside of the data for rows that are set aside
    #[arg(long, value_name = "FOLDER")]
    pub(crate) quarantine: Option<PathBuf>,
    /// Where the evidence goes (default: beside the data)
    #[arg(long, value_name = "FILE")]
    pub(crate) evidence: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct EraseArguments {
    #[command(flatten)]
    pub(crate) work: WorkArguments,
    /// Who: one identifier a line, or a table with a column for each kind (and `request`)
    #[arg(long, value_name = "FILE")]
    pub(crate) subjects: PathBuf,
    /// Where the certificate goes (default: beside the data)
    #[arg(long, value_name = "FILE")]
    pub(crate) certificate: Option<PathBuf>,
    /// A copy out of reach and when it ends, for the certificate: "backups until 2027-01-31"
    #[arg(long, value_name = "TEXT")]
    pub(crate) residual: Vec<String>,
    /// Who does it, for the certificate
    #[arg(long, value_name = "NAME")]
    pub(crate) operator: Option<String>,
    /// Who agreed to it, somebody else, for the certificate
    #[arg(long, value_name = "NAME", requires = "operator")]
    pub(crate) approver: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct RulesArguments {
    #[command(subcommand)]
    pub(crate) action: RulesAction,
    /// Further folders with rules
    #[arg(long, global = true)]
    pub(crate) rules: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RulesAction {
    /// All rules
    List,
    /// The file of one rule or entity
    Show {
        /// Rule id or entity
        id: String,
    },
    /// Run every example and near-miss
    Check {
        /// Folder or file; the shipped rules when left out
        folder: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct KeyArguments {
    #[command(subcommand)]
    pub(crate) action: KeyAction,
    #[command(flatten)]
    pub(crate) source: KeySource,
    /// The time that new keys state, RFC 3339 (default: SOURCE_DATE_EPOCH, else now)
    #[arg(long, global = true)]
    pub(crate) as_of: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyAction {
    /// Make a keyring, or a new active key in it
    New {
        /// The human's name for the key
        #[arg(long, default_value = "default")]
        label: String,
        /// Tenant
        #[arg(long, default_value = "default")]
        tenant: String,
    },
    /// Ids, labels and states; never a key
    List,
    /// What is not production grade
    Doctor,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ExposureAction {
    /// Run the attacks on signals and say what they find
    Score {
        /// Signals: an .npz archive, a folder of .npy files, or Parquet or Arrow with a row a record
        signals: PathBuf,
        /// Where the evidence (JSON) goes
        #[arg(long)]
        to: Option<PathBuf>,
        /// Replace existing evidence
        #[arg(long)]
        force: bool,
        #[command(flatten)]
        measure: MeasureArguments,
    },
    /// Render evidence as one HTML page
    Report {
        /// What `score --to` wrote
        evidence: PathBuf,
        /// Where the page goes (default: standard output)
        #[arg(long)]
        to: Option<PathBuf>,
        /// Replace an existing page
        #[arg(long)]
        force: bool,
    },
    /// Compare two models or treatments, trained on the same masks
    Compare {
        /// Signals before
        before: PathBuf,
        /// Signals after
        after: PathBuf,
        #[command(flatten)]
        measure: MeasureArguments,
    },
    /// List and score the canaries that `apply` planted
    Canary {
        #[command(subcommand)]
        action: CanaryAction,
    },
    /// Exit 0 under the limits, 1 over one, 7 where the evidence does not decide
    Gate {
        /// Evidence, or signals
        input: PathBuf,
        /// The policy whose `[gates] exposure` counts where no limit is given (default: as for `apply`)
        #[arg(long, conflicts_with_all = ["auc", "tpr"])]
        policy: Option<PathBuf>,
        /// Highest area under the curve
        #[arg(long, value_parser = share)]
        auc: Option<f64>,
        /// Highest share of members recognised at a rate of false alarms, as 0.001=0.01
        #[arg(long, value_parser = rate_limit)]
        tpr: Vec<(f64, f64)>,
        #[command(flatten)]
        measure: MeasureArguments,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum CanaryAction {
    /// List all canaries of a receipt, planted or not: JSON Lines of id and text, or the rows
    List {
        /// The receipt of an `apply` that planted canaries
        receipt: PathBuf,
        /// Where the rows go, in the format of its name (default: JSON Lines to standard output)
        #[arg(long)]
        to: Option<PathBuf>,
        /// Replace an existing list
        #[arg(long)]
        force: bool,
        /// Where the output is now that the rows are planted in (default: where the receipt says)
        #[arg(long, value_name = "FILE")]
        data: Option<PathBuf>,
        #[command(flatten)]
        keys: KeySource,
    },
    /// Say what a model remembers, from how likely it thinks every canary
    Score {
        /// The receipt of an `apply` that planted canaries
        receipt: PathBuf,
        /// JSON Lines of id and score, larger for what the model knows better: the mean log-probability
        /// of a text, the log-probability of a row's label
        #[arg(long)]
        scores: PathBuf,
        /// Confidence of the bound
        #[arg(long, default_value_t = 0.95, value_parser = inner_share)]
        confidence: f64,
        /// Delta of the bound
        #[arg(long, default_value_t = 1e-5, value_parser = inner_share)]
        delta: f64,
        #[command(flatten)]
        keys: KeySource,
    },
}

/// How exposure is measured.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Measuring")]
pub(crate) struct MeasureArguments {
    /// Which of the models is the target, from 0; the others are references
    #[arg(long, default_value_t = 0)]
    pub(crate) target: usize,
    /// Rate of false alarms that the verdict speaks of
    #[arg(long, default_value_t = 0.01, value_parser = inner_share)]
    pub(crate) fpr: f64,
    /// Confidence of every interval
    #[arg(long, default_value_t = 0.95, value_parser = inner_share)]
    pub(crate) confidence: f64,
    /// Share of members among the people an attacker tests
    #[arg(long, default_value_t = 0.5, value_parser = inner_share)]
    pub(crate) prior: f64,
    /// Trees of an ensemble whose confidences are shares of votes
    #[arg(long)]
    pub(crate) trees: Option<usize>,
    /// Fair coins decided which records the target was trained on
    #[arg(long)]
    pub(crate) coins: bool,
    /// How many of the most exposed records are named, by row
    #[arg(long, default_value_t = 50)]
    pub(crate) records: usize,
    /// What the report calls the model
    #[arg(long)]
    pub(crate) model: Option<String>,
    /// The time that evidence states, RFC 3339 (default: SOURCE_DATE_EPOCH, else now)
    #[arg(long)]
    pub(crate) as_of: Option<String>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "A line of the input: {\"text\": ..., \"spans\": [{\"start\": 0, \"end\": 5, \
                        \"label\": \"PERSON\"}], \"lang\": \"en\", \"source\": \"a corpus\"}; offsets \
                        count code points. Labels are names of entities, those that corpora use \
                        (EMAIL, PHONE, NATIONAL_ID ...), or what --labels says:\n\n  [PER]\n  \
                        entities = [\"PERSON\"]\n  [TAX_NUMBER]\n  categories = \
                        [\"user.government_id\"]"
)]
pub(crate) struct EvalArguments {
    /// Labelled JSON Lines: files, globs or folders; `-` is standard input
    #[arg(required = true)]
    pub(crate) paths: Vec<String>,
    /// What the labels of the input stand for (TOML)
    #[arg(long)]
    pub(crate) labels: Option<PathBuf>,
    /// An earlier evaluation (--format json) to compare with
    #[arg(long)]
    pub(crate) baseline: Option<PathBuf>,
    /// Field of JSON Lines that holds the text
    #[arg(long, default_value = "text")]
    pub(crate) text_field: String,
    #[command(flatten)]
    pub(crate) find: FindArguments,
    #[command(flatten)]
    pub(crate) read: ReadArguments,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    /// Treated files, globs or folders; a folder that is a Delta or Iceberg table counts as one table
    #[arg(required = true)]
    pub(crate) paths: Vec<String>,
    /// Policy (default: as for apply, else the one that apply drafted beside its output)
    #[arg(long)]
    pub(crate) policy: Option<PathBuf>,
    /// Search every row for identifiers (default: a seeded sample of 50,000); retention is always
    /// counted over all rows
    #[arg(long)]
    pub(crate) full: bool,
    /// Rows of the sample
    #[arg(long, default_value_t = 50_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rows: u32,
    /// Seed of the sample
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// The date of the decision, RFC 3339 (default: SOURCE_DATE_EPOCH, else now)
    #[arg(long)]
    pub(crate) as_of: Option<String>,
    /// When an event happened that periods are counted from; may be given many times
    #[arg(long, value_name = "NAME=DATE", value_parser = event)]
    pub(crate) event: Vec<(String, String)>,
    /// Measured recall of the detector: the JSON of an evaluation (allonym.eval/1)
    #[arg(long, value_name = "FILE")]
    pub(crate) recall: Option<PathBuf>,
    /// Public key that is trusted beside the keyring's (allonym audit key)
    #[arg(long, value_name = "KEY")]
    pub(crate) signer: Option<String>,
    /// Where the evidence goes, as signed JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) evidence: Option<PathBuf>,
    /// Where a report goes; its name says the format: .html, .md, .csv, .sarif, .json, .xlsx,
    /// .ropa.csv, .odcs.yaml, .croissant.json, .openlineage.jsonl
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) keys: KeySource,
    #[command(flatten)]
    pub(crate) read: ReadArguments,
}

#[derive(Debug, Args)]
pub(crate) struct RiskArguments {
    /// The table: files, globs or folders of one
    #[arg(required = true)]
    pub(crate) paths: Vec<String>,
    /// Columns an outsider is taken to know, as a,b,c
    #[arg(long, value_delimiter = ',', required = true)]
    pub(crate) quasi: Vec<String>,
    /// Columns nobody should learn, as a,b,c
    #[arg(long, value_delimiter = ',')]
    pub(crate) sensitive: Vec<String>,
    /// Rows the table was made from; attacks need them and a control
    #[arg(long, value_name = "PATH")]
    pub(crate) original: Vec<String>,
    /// Rows of the same kind that the table was not made from
    #[arg(long, value_name = "PATH")]
    pub(crate) control: Vec<String>,
    /// A table of everybody, for k-map and delta-presence
    #[arg(long, value_name = "PATH")]
    pub(crate) population: Vec<String>,
    /// Its column that tells how many people a row stands for (default: one)
    #[arg(long, value_name = "COLUMN", requires = "population")]
    pub(crate) population_count: Option<String>,
    /// The table is a random sample of so many people
    #[arg(long, value_name = "PEOPLE")]
    pub(crate) population_size: Option<u64>,
    /// Suggest a way to a k with little loss
    #[arg(long, value_name = "K")]
    pub(crate) target_k: Option<u64>,
    /// Share of the rows that a suggestion may leave out
    #[arg(long, default_value_t = 0.01, value_parser = share)]
    pub(crate) leave_out: f64,
    /// Tell the smallest sets of columns that leave at least this share of the rows alone
    #[arg(long, default_value_t = 0.05, value_parser = inner_share)]
    pub(crate) unique_share: f64,
    /// Most sets of columns that are measured, 0 for none (default: until 200 million rows are read)
    #[arg(long, value_name = "N")]
    pub(crate) sets_max: Option<u64>,
    /// Columns of one of two linked sources, as a,b (default: the first half of --quasi)
    #[arg(long, value_delimiter = ',', requires = "control")]
    pub(crate) link: Vec<String>,
    /// Attempts of each attack
    #[arg(long, default_value_t = 500)]
    pub(crate) attempts: usize,
    /// Seed of what attacks draw
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// Confidence of every interval
    #[arg(long, default_value_t = 0.95, value_parser = inner_share)]
    pub(crate) confidence: f64,
    /// The policy whose `[gates]` count where no limit is given (default: as for `apply`)
    #[arg(long)]
    pub(crate) policy: Option<PathBuf>,
    /// Gate: the smallest group has at least so many rows
    #[arg(long, value_name = "K", help_heading = "Gates (exit 1 when broken, 7 when undecided)")]
    pub(crate) min_k: Option<u64>,
    /// Gate: at most this share of the rows is alone
    #[arg(
        long,
        value_name = "SHARE",
        value_parser = share,
        help_heading = "Gates (exit 1 when broken, 7 when undecided)"
    )]
    pub(crate) max_unique: Option<f64>,
    /// Gate: every group has at least so many values of each sensitive column
    #[arg(long, value_name = "L", help_heading = "Gates (exit 1 when broken, 7 when undecided)")]
    pub(crate) min_l: Option<u64>,
    /// Gate: largest t-closeness of each sensitive column
    #[arg(
        long,
        value_name = "T",
        value_parser = share,
        help_heading = "Gates (exit 1 when broken, 7 when undecided)"
    )]
    pub(crate) max_t: Option<f64>,
    /// Gate: at most this share of the rows is alone in the population
    #[arg(
        long,
        value_name = "SHARE",
        value_parser = share,
        help_heading = "Gates (exit 1 when broken, 7 when undecided)"
    )]
    pub(crate) max_population_unique: Option<f64>,
    /// Gate: largest risk of each attack
    #[arg(
        long,
        value_name = "RISK",
        value_parser = share,
        help_heading = "Gates (exit 1 when broken, 7 when undecided)"
    )]
    pub(crate) max_attack: Option<f64>,
    /// Where the evidence (JSON) goes
    #[arg(long, value_name = "FILE")]
    pub(crate) to: Option<PathBuf>,
    /// Replace existing evidence
    #[arg(long)]
    pub(crate) force: bool,
    /// The time that evidence states, RFC 3339 (default: SOURCE_DATE_EPOCH, else now)
    #[arg(long)]
    pub(crate) as_of: Option<String>,
    #[command(flatten)]
    pub(crate) read: ReadArguments,
}

#[derive(Debug, Args)]
pub(crate) struct ReportArguments {
    /// Evidence of a check, a risk, an exposure, an expiry, or the certificate of an erasure
    pub(crate) evidence: PathBuf,
    /// Where the report goes (default: standard output, HTML unless --format says otherwise)
    #[arg(long, value_name = "FILE")]
    pub(crate) to: Option<PathBuf>,
    /// Replace an existing file
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArguments {
    /// Receipt (OUT.allonym.json, OUT/allonym.receipt.json of a folder), or the evidence of a check
    pub(crate) receipt: PathBuf,
    /// Where its files are now (default: where the receipt says)
    #[arg(long)]
    pub(crate) data: Option<PathBuf>,
    /// Public key that is trusted beside the keyring's (allonym audit key)
    #[arg(long, value_name = "KEY")]
    pub(crate) signer: Option<String>,
    #[command(flatten)]
    pub(crate) keys: KeySource,
}

#[derive(Debug, Args)]
pub(crate) struct AuditArguments {
    #[command(subcommand)]
    pub(crate) action: AuditAction,
    #[command(flatten)]
    pub(crate) keys: KeySource,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditAction {
    /// Whether the ledger is what its writers wrote; exit 6 when it is not, or not anchored
    Verify {
        /// Signed checkpoint that was kept elsewhere; may be given many times
        #[arg(long, value_name = "FILE")]
        checkpoint: Vec<PathBuf>,
        /// Public key that signs checkpoints (default: the keyring's)
        #[arg(long, value_name = "KEY")]
        signer: Option<String>,
    },
    /// A signed checkpoint, to be kept where no writer has access
    Checkpoint {
        /// Where it goes (default: standard output)
        #[arg(long)]
        to: Option<PathBuf>,
        /// Replace an existing file
        #[arg(long)]
        force: bool,
    },
    /// Remove entries that are old enough, and keep their hashes; a plan unless --yes
    Expire {
        /// Entries older than this day go, by whole segments of about a month
        #[arg(long, value_name = "DATE")]
        before: String,
        /// Do it
        #[arg(long)]
        yes: bool,
    },
    /// The public key that signs receipts and checkpoints
    Key,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArguments {
    /// ALO-... or PATH:COLUMN
    pub(crate) subject: String,
    /// Read every row (default: a seeded sample of 50,000)
    #[arg(long)]
    pub(crate) full: bool,
    #[command(flatten)]
    pub(crate) read: ReadArguments,
}

fn named(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, date)) if !name.is_empty() && !date.is_empty() => {
            Ok((name.to_owned(), date.to_owned()))
        }
        _ => Err("expected NAME=DATE, as in relationship_end=2026-01-31".to_owned()),
    }
}

fn delimiter(text: &str) -> Result<u8, String> {
    match text {
        "tab" | "\\t" => Ok(b'\t'),
        _ => one_byte(text),
    }
}

fn one_byte(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        [byte] if byte.is_ascii() && !matches!(byte, b'\n' | b'\r' | 0) => Ok(*byte),
        _ => Err("expected one ASCII character".to_owned()),
    }
}

fn event(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, date)) if !name.is_empty() => Ok((name.to_owned(), iso_time(date)?)),
        _ => Err("expected NAME=2026-11-21".to_owned()),
    }
}

fn iso_time(text: &str) -> Result<String, String> {
    let is_time =
        text.parse::<jiff::Timestamp>().is_ok() || text.parse::<jiff::civil::Date>().is_ok();
    match is_time {
        true => Ok(text.to_owned()),
        false => Err("expected 2026-11-21 or 2026-11-21T00:00:00Z".to_owned()),
    }
}

fn score(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(score) if (0.0..=1.0).contains(&score) => Ok(score),
        _ => Err("expected a number from 0 to 1".to_owned()),
    }
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("expected a number from 0 to 1".to_owned()),
    }
}

fn inner_share(text: &str) -> Result<f64, String> {
    share(text)
        .ok()
        .filter(|share| *share > 0.0 && *share < 1.0)
        .ok_or_else(|| "expected a number between 0 and 1".to_owned())
}

fn rate_limit(text: &str) -> Result<(f64, f64), String> {
    let both = text.split_once('=').map(|(rate, limit)| (inner_share(rate), share(limit)));
    match both {
        Some((Ok(rate), Ok(limit))) => Ok((rate, limit)),
        _ => Err("expected RATE=LIMIT, as in 0.001=0.01".to_owned()),
    }
}
