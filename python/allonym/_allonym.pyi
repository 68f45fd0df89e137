"""The compiled part: Arrow objects in, Arrow objects out."""

import os
from collections.abc import Sequence
from os import PathLike
from typing import Any, Protocol, TypeAlias, final

from typing_extensions import Self

from allonym.metrics import Estimate, Interval

__version__: str

_Packed: TypeAlias = tuple[bytes, str, list[int]]

class ArrowStream(Protocol):
    """Any table with the Arrow capsule interface."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

class ArrowSchema(Protocol):
    """Any schema, or anything that has one, with the Arrow capsule interface."""

    def __arrow_c_schema__(self) -> object: ...

@final
class Span:
    """One finding in a text.

    Positions count code points: ``text[span.start:span.end]`` is the finding. A span does not hold
    the text.
    """

    def __new__(cls, start: int, end: int, entity: str, score: float, rule: str) -> Self: ...
    @property
    def start(self) -> int:
        """First code point."""
    @property
    def end(self) -> int:
        """One past the last code point."""
    @property
    def entity(self) -> str:
        """What it is, by the names of ``allonym rules list``."""
    @property
    def score(self) -> float:
        """Probability in ``[0, 1]`` that it is what the rule says, to four digits.

        It says nothing about what was missed, and scores of two rules are compared at one's own
        risk.
        """
    @property
    def rule(self) -> str:
        """Id of the rule that found it; ``allonym rules show ID`` tells more."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class Spans:
    """Findings of many texts: an Arrow stream of ``doc, start, end, entity, score, rule``.

    Any frame library reads it: ``polars.DataFrame(spans)``, ``pyarrow.table(spans)``.
    """

    @property
    def documents(self) -> int:
        """Number of texts, with and without findings."""
    def by_document(self) -> list[list[Span]]:
        """Give the findings of each text, in the order of the texts.

        Returns
        -------
        list of list of Span
            As long as there are texts; a text without findings, or null, has an empty list.
        """
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...
    def __len__(self) -> int:
        """Give the number of findings."""

@final
class Stream:
    """Treated rows, for whoever takes an Arrow stream.

    Reads once when it came from something that reads once. Iterating gives record batches with
    ``__arrow_c_array__`` and raises this package's errors; a library that reads the stream raises
    its own error with the same text.
    """

    def __new__(cls, data: Any) -> Self: ...
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...
    def __iter__(self) -> Self: ...
    def __next__(self) -> Batch: ...

@final
class Batch:
    """Some rows of a stream."""

    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_array__(
        self, requested_schema: object | None = None
    ) -> tuple[object, object]: ...
    def __len__(self) -> int: ...

@final
class Chunks:
    """One column that came out."""

    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...
    def __len__(self) -> int: ...

@final
class Scores:
    """One score for each record, in their order; larger means more likely a member.

    ``numpy.asarray(scores)`` and Arrow libraries take it. NaN stands where a record could not be
    scored.
    """

    @property
    def dropped(self) -> int:
        """Number of records without a score."""
    @property
    def counts(self) -> dict[str, int]:
        """Number of records by flag, for every flag that any record carries.

        ``not_finite``: a signal was NaN or infinite, the record was dropped. ``never_in``,
        ``never_out``: no (every) reference was trained on the record. ``no_spread``: a side does
        not vary, or has one signal. ``clamped``: a signal was moved to the nearest that has a
        logarithm. ``no_group``: the population has nobody of the record's group.
        """
    @property
    def population_dropped(self) -> int:
        """Population records that were left out because a signal was not finite (``rmia``)."""
    @property
    def ratio(self) -> Scores | None:
        """What ``rmia`` ranks by, without the ties of its shares; none of other attacks."""
    def flags(self, record: int) -> list[str]:
        """Give the flags of one record.

        Parameters
        ----------
        record
            Its position.

        Returns
        -------
        list of str
            Names, as in ``counts``.

        Raises
        ------
        IndexError
            No such record.
        """
    def flagged(self, flag: str) -> list[int]:
        """Give the positions of the records with a flag.

        Parameters
        ----------
        flag
            Its name, as in ``counts``.

        Returns
        -------
        list of int
            In rising order.

        Raises
        ------
        UsageError
            No such flag.
        """
    def tolist(self) -> list[float]:
        """Give the scores as Python numbers.

        Returns
        -------
        list of float
            As long as there are records.
        """
    def tobytes(self) -> bytes:
        """Give the scores as little-endian doubles.

        Returns
        -------
        bytes
            Eight for each record.
        """
    @property
    def __array_interface__(self) -> dict[str, Any]: ...
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_array__(
        self, requested_schema: object | None = None
    ) -> tuple[object, object]: ...
    def __len__(self) -> int:
        """Give the number of records, scored or not."""
    def __getitem__(self, record: int) -> float: ...

@final
class Roc:
    """The receiver operating characteristic: exact steps, records with one score in one step."""

    @property
    def auc(self) -> float:
        """Probability that a member scores above a non-member, ties counting half."""
    @property
    def auc_interval(self) -> Interval:
        """Ends of the area's interval (DeLong, on the logit scale)."""
    @property
    def auc_standard_error(self) -> float:
        """Standard error of the area (DeLong)."""
    @property
    def n_members(self) -> int:
        """Scored members."""
    @property
    def n_non_members(self) -> int:
        """Scored non-members."""
    @property
    def dropped(self) -> int:
        """Records without a score."""
    @property
    def confidence(self) -> float:
        """Of every interval."""
    @property
    def advantage(self) -> Estimate:
        """Largest difference of the two rates; its interval allows for choosing the threshold."""
    def tpr_at(self, fpr: float) -> TprAt:
        """Give the true-positive rate where at most ``fpr`` of the non-members are flagged.

        Parameters
        ----------
        fpr
            In [0, 1]; nothing is interpolated.

        Returns
        -------
        TprAt
            Print no number of it where it is not ``resolvable``.

        Raises
        ------
        UsageError
            A rate outside of [0, 1].
        """
    def points(self) -> list[tuple[float, float, float]]:
        """Give the corners of the curve, by falling threshold.

        Returns
        -------
        list of tuple
            Threshold, false-positive rate, true-positive rate.
        """

@final
class TprAt:
    """How many members are recognised at few false alarms."""

    @property
    def value(self) -> float:
        """Share of the members recognised, in the sample."""
    @property
    def low(self) -> float:
        """Lower end of the exact interval for that share at this threshold (Clopper-Pearson)."""
    @property
    def high(self) -> float:
        """Upper end of it."""
    @property
    def resolvable(self) -> bool:
        """Whether there are enough non-members to see so small a rate; else quote nothing."""
    @property
    def non_members_needed(self) -> int | None:
        """Non-members it takes; none where no number is enough (a rate of zero)."""
    @property
    def band(self) -> Interval:
        """Interval for the share where the *true* rate of false alarms is the limit."""
    @property
    def fpr(self) -> Estimate:
        """Share of the non-members flagged at this threshold, with its exact interval."""
    @property
    def fpr_limit(self) -> float:
        """The rate that was asked for."""
    @property
    def threshold(self) -> float:
        """Records with at least this score are flagged; infinite where none are."""
    @property
    def lift(self) -> Estimate:
        """How many times more often members are flagged than the limit, by the band."""
    def precision(self, prior: float) -> Estimate:
        """Give the share of members among the flagged.

        Parameters
        ----------
        prior
            Share of members among those tested, in (0, 1).

        Returns
        -------
        Estimate
            With its interval.

        Raises
        ------
        UsageError
            A prior outside of (0, 1).
        """

@final
class KeyInfo:
    """What may be known of a key; never the key."""

    @property
    def id(self) -> str:
        """Five characters, made by Allonym."""
    @property
    def label(self) -> str:
        """The name a human gave it."""
    @property
    def tenant(self) -> str:
        """Whose key it is."""
    @property
    def state(self) -> str:
        """``active`` or ``verify-only``."""
    @property
    def created(self) -> str:
        """When it was made, RFC 3339, as its maker's clock said."""
    @property
    def epoch(self) -> int:
        """Place in the tenant's row of keys, from 1."""
    def __eq__(self, other: object, /) -> bool: ...

@final
class Keyring:
    """An opened keyring.

    ``repr`` shows ids only. It pickles as where it is and which id it has: a worker opens the ring
    itself (a passphrase comes from ``ALLONYM_KEYRING_PASSPHRASE_FILE`` there) and refuses another
    ring in its place.
    """

    @classmethod
    def open(
        cls,
        ref: str | None = None,
        *,
        passphrase_file: str | os.PathLike[str] | None = None,
    ) -> Self:
        """Open a keyring.

        Parameters
        ----------
        ref
            ``"file:PATH"``, ``"env:NAME"`` (a variable that holds such a reference) or a path.
            When left out: ``ALLONYM_KEYS``, else the user's default ring.
        passphrase_file
            File that holds the passphrase; when left out,
            ``ALLONYM_KEYRING_PASSPHRASE_FILE``. A ring with a local key file needs none.

        Raises
        ------
        KeyStoreError
            No ring there, a wrong or missing passphrase, a file that others may read.
        """
    @classmethod
    def create(
        cls,
        path: str | os.PathLike[str],
        *,
        label: str = "default",
        tenant: str = "default",
        passphrase_file: str | os.PathLike[str] | None = None,
    ) -> Self:
        """Make a keyring with one active key; never over an older one.

        Parameters
        ----------
        path
            Where; not beside the data that its tokens go into.
        label
            Name of the key.
        tenant
            Whose key.
        passphrase_file
            File that holds the passphrase that locks the ring. Without one (and without
            ``ALLONYM_KEYRING_PASSPHRASE_FILE``) a key file is made beside the ring, which is fine
            for trying and not for production.

        Raises
        ------
        KeyStoreError
            A ring that is there already, or a folder that cannot be written.
        """
    @property
    def id(self) -> str:
        """Id of the ring: 32 hexadecimal digits, not secret."""
    @property
    def path(self) -> str:
        """Where it was opened."""
    @property
    def keys(self) -> list[KeyInfo]:
        """What may be known of each key."""

@final
class Scan:
    """What a scan found, for drafting."""

    def to_json(self) -> str: ...

@final
class TreatedTable:
    """Treated rows, the receipt as JSON, and its warnings."""

    @property
    def stream(self) -> Stream: ...
    @property
    def receipt(self) -> str: ...
    @property
    def warnings(self) -> list[str]: ...

@final
class PlanCore:
    """A policy bound to a schema and keys."""

    @property
    def columns(self) -> list[tuple[str, str, str, str | None]]: ...
    @property
    def warnings(self) -> list[str]: ...
    @property
    def untouched(self) -> list[int | None]: ...
    def __arrow_c_schema__(self) -> object: ...
    def no_rows(self) -> Stream: ...
    def stream(self, data: ArrowStream) -> Stream: ...
    def treat(self, data: ArrowStream, *, record: bool) -> TreatedTable: ...

@final
class PolicyCore:
    """A parsed policy and the folder its relative paths start from."""

    @classmethod
    def parse(cls, text: str, origin: str, folder: str) -> Self: ...
    @classmethod
    def parse_pyproject(cls, text: str, origin: str, folder: str) -> Self | None: ...
    @classmethod
    def draft(cls, scan: Scan, name: str, purpose: str) -> Self: ...
    @classmethod
    def of_contract(
        cls, text: str, origin: str, folder: str, *, table: str | None, purpose: str
    ) -> Self: ...
    def keep(self, columns: list[str], reason: str) -> Self: ...
    def to_toml(self) -> str: ...
    @property
    def folder(self) -> str: ...
    @property
    def digest(self) -> str: ...
    @property
    def name(self) -> str | None: ...
    @property
    def purpose(self) -> str | None: ...
    @property
    def columns(self) -> list[tuple[str, str]]: ...
    @property
    def needs_keys(self) -> bool: ...
    @property
    def reads_twice(self) -> bool: ...
    @property
    def ring(self) -> str | None: ...
    @property
    def tenant(self) -> str: ...
    def keyring(self, reference: str | None) -> Keyring: ...
    def plan(
        self, data: ArrowStream | ArrowSchema, *, keys: Keyring | None, may_read: bool
    ) -> PlanCore: ...

def main(arguments: Sequence[str]) -> int:
    """Run the command line and give its exit code."""

def attack_gap(probs: _Packed, labels: _Packed) -> Scores: ...
def attack_lira(
    logit: _Packed, references: _Packed, members: _Packed, mode: str, variance: str
) -> Scores: ...
def attack_loss(conf: _Packed) -> Scores: ...
def attack_modified_entropy(probs: _Packed, labels: _Packed) -> Scores: ...
def attack_offset(logit: _Packed, references: _Packed, members: _Packed, mode: str) -> Scores: ...
def attack_population(
    conf: _Packed, population: _Packed, groups: tuple[list[int], list[int]] | None
) -> Scores: ...
def attack_qmia(
    logit: _Packed,
    features: _Packed,
    population: _Packed,
    population_features: _Packed,
    fpr: float,
) -> Scores: ...
def attack_rmia(
    conf: _Packed,
    references: _Packed,
    members: _Packed,
    population: _Packed,
    population_references: _Packed,
    mode: str,
    gamma: float,
    a: float,
) -> Scores: ...
def attack_t_lira(
    logit: _Packed, references: _Packed, members: _Packed, mode: str, nu0: float
) -> Scores: ...
def attack_text(log_probabilities: list[list[float]], share: float) -> Scores: ...
def roc(scores: _Packed, members: _Packed, confidence: float) -> Roc: ...

@final
class ExposureCore:
    """A measurement of exposure: the evidence, and what further questions are asked of."""

    def to_json(self) -> str: ...
    def scores(self) -> Scores: ...
    def roc(self) -> Roc: ...
    def by(self, column: str, of: list[int], names: list[str]) -> None: ...
    def compare(self, after: ExposureCore) -> tuple[str, str]: ...

def gate_exposure(
    json: str, auc: float | None, tpr_at: list[tuple[float, float]]
) -> tuple[str, int, str, int | None]: ...
def logit_limit(trees: int) -> float: ...
def measure_file(
    path: PathLike[str], *, target: int, context: str, options: dict[str, Any]
) -> ExposureCore: ...
def list_canaries(receipt: PathLike[str], data: PathLike[str] | None, keys: Keyring) -> Stream: ...
def score_canaries_of(
    receipt: PathLike[str],
    scores: dict[int, float],
    delta: float,
    confidence: float,
    keys: Keyring,
) -> str: ...
def measure_signals(
    conf: _Packed | None,
    logit: _Packed | None,
    members: _Packed,
    population: _Packed | None,
    looks: dict[str, _Packed | None],
    *,
    target: int,
    context: str,
    options: dict[str, Any],
) -> ExposureCore: ...
def render_exposure(json: str, form: str) -> str: ...
def default_keyring(tenant: str) -> tuple[Keyring, bool]:
    """Open the user's ring, or make it; says whether it was made."""

def measure_risk(
    data: ArrowStream | str,
    *,
    source: str,
    original: ArrowStream | str | None,
    control: ArrowStream | str | None,
    population: ArrowStream | str | None,
    as_of: str | None,
    options: dict[str, Any],
) -> str: ...
def gate_risk(json: str, limits: dict[str, Any]) -> tuple[str, int]: ...
def render_risk(json: str, form: str) -> str: ...
def check(
    data: ArrowStream | str,
    *,
    source: str,
    policy: PolicyCore | None,
    keys: str | None,
    full: bool,
    rows: int,
    seed: int,
    as_of: str | None,
    events: dict[str, str],
    signer: str | None,
) -> tuple[str, int]: ...
def decide(
    anchor: str | None,
    anchor_type: str,
    duration: str,
    policy_tz: str,
    now: str,
    *,
    assume_tz: str | None = None,
    hold: str | None = None,
    retain_at_least: str | None = None,
) -> tuple[str | None, str]:
    """Decide whether one row is past its retention period.

    Reads no clock: the same arguments give the same answer everywhere and for ever, up to changes
    of the time zone database that is compiled in.

    Parameters
    ----------
    anchor
        The cell the period is counted from, ISO 8601; ``None`` is null. A date counts as kept for
        its whole last day.
    anchor_type
        ``"date"``, ``"timestamp_tz"``, ``"timestamp_naive"``, or ``"string"``, which may hold any
        of these.
    duration
        Calendar period: whole years, months, weeks and days, as in ``"P5Y"`` or ``"P1Y6M"``. It is
        added once, in ``policy_tz``, and the day is clamped to the end of the month. ``"P1M"`` is
        not ``"P30D"``.
    policy_tz
        Zone in which days begin, as in ``"Europe/Berlin"``. A time that its clocks skip becomes
        the later one, a time they show twice the earlier.
    now
        Date of the decision, with an offset: ``"2026-01-01T00:00:00Z"``.
    assume_tz
        Zone of timestamps without one; without it they cannot be decided.
    hold
        Name of the legal hold that covers the row; ``None`` or ``""`` when none does.
    retain_at_least
        Statutory floor below ``duration``.

    Returns
    -------
    tuple of str or None, and str
        When it expires, in UTC, where that can be told; and the verdict: ``retain``, ``expired``
        (from the moment of expiry on), ``hold``, ``expired_on_hold``, ``null_anchor``,
        ``future_anchor`` (more than 24 hours ahead of ``now``), ``naive_timestamp``,
        ``unreadable_anchor``, or ``policy_error`` for a period, zone or floor that a policy may
        not have; ``Policy.load`` raises those. A hold covers every verdict: what it covers is
        ``expired_on_hold`` when past its period, else ``hold``.

    Raises
    ------
    UsageError
        An unknown ``anchor_type``, or a ``now`` that is no instant.
    """

def derive_token(
    *,
    epoch_secret: bytes,
    keyring_id: bytes,
    tenant: str,
    domain: str,
    field: str,
    usage: str,
    profile: str,
    value: str,
    label: str = "TEXT",
) -> dict[str, str]:
    """Derive one token from raw inputs: for test vectors and audits.

    Parameters
    ----------
    epoch_secret
        32 bytes.
    keyring_id
        16 bytes.
    tenant, domain, field
        Names that separate tokens.
    usage
        ``"token"`` for every token of this version.
    profile
        ``exact``, ``casefold``, ``iban`` or ``e164``.
    value
        What is tokenized.
    label
        Label of the text token: ``[A-Z][A-Z0-9_]*``.

    Returns
    -------
    dict of str to str
        Every step, bytes in lower-case hexadecimal: ``info_hex``, ``derived_key``, ``normalised``,
        ``mac``, ``token_hex128``, ``token_b32_130``, ``token_b62_128``, ``typed_80``.

    Raises
    ------
    UsageError
        A secret or id of another length, an unknown profile.
    KeyStoreError
        A name that is too long, a label that is none.
    """

def evaluate(
    data: str | list[str],
    *,
    labels: str | None,
    entities: Sequence[str] | None,
    countries: Sequence[str] | None,
    languages: Sequence[str] | None,
    min_score: float | None,
    text_field: str,
    baseline: str | None,
) -> str: ...
def erase_people(
    policy: PolicyCore,
    paths: Sequence[str],
    *,
    subjects: str,
    apply: bool,
    as_of: str | None,
    collected_at: str | None,
    events: dict[str, str],
    certificate: str | None,
    residual: Sequence[str],
    operator: str | None,
    approver: str | None,
    receipts: Sequence[str],
    keys: str | None,
) -> tuple[str, str | None, int, bool, list[str]]: ...
def expire_files(
    policy: PolicyCore,
    paths: Sequence[str],
    *,
    apply: bool,
    purge: bool,
    as_of: str | None,
    collected_at: str | None,
    events: dict[str, str],
    quarantine: str | None,
    evidence: str | None,
    receipts: Sequence[str],
    keys: str | None,
) -> tuple[str, str | None, int, bool, list[str]]: ...
def find(
    text: str,
    *,
    entities: Sequence[str] | None = None,
    countries: Sequence[str] | None = None,
    languages: Sequence[str] | None = None,
    min_score: float | None = None,
    names: str = "balanced",
) -> list[Span]: ...
def find_batch(
    texts: Any,
    *,
    entities: Sequence[str] | None = None,
    countries: Sequence[str] | None = None,
    languages: Sequence[str] | None = None,
    min_score: float | None = None,
    names: str = "balanced",
) -> Spans: ...
def redact(
    texts: Any,
    *,
    entities: Sequence[str] | None = None,
    countries: Sequence[str] | None = None,
    languages: Sequence[str] | None = None,
    min_score: float | None = None,
    names: str = "balanced",
) -> Any: ...
def rules() -> str: ...
def scan(
    data: Any,
    *,
    source: str,
    rows: int,
    full: bool,
    entities: Sequence[str] | None,
    countries: Sequence[str] | None,
    languages: Sequence[str] | None,
    policy: PolicyCore | None,
    seed: int,
) -> Scan: ...
def tokenize(
    values: Any,
    *,
    keys: Keyring,
    domain: str,
    field: str,
    profile: str,
    key: str | None,
    tenant: str,
    format: str,  # noqa: A002
) -> Any: ...
def validate(entity: str, value: str, *, country: str | None = None) -> bool: ...
