"""One exception for each kind of mistake; none holds a cell of the data."""

__all__ = [
    "AllonymError",
    "AllonymWarning",
    "DataError",
    "InternalError",
    "KeyStoreError",
    "PolicyError",
    "RuleError",
    "StorageError",
    "UsageError",
]


class AllonymError(Exception):
    """Base of everything this package raises on purpose.

    Parameters
    ----------
    message
        What is wrong: file, column, row, rule or key by name; never a value.
    code
        Stable code; ``allonym explain CODE`` tells more.
    hint
        What to do, where something can be said.
    exit_code
        What the command line would have ended with.

    Attributes
    ----------
    code : str
        Stable code, such as ``"ALO-P003"``.
    hint : str or None
        What to do.
    exit_code : int
        Exit code of the command line for the same mistake; 75 is worth a retry.
    """

    def __init__(
        self, message: str, code: str = "ALO-X005", hint: str | None = None, exit_code: int = 5
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.hint = hint
        self.exit_code = exit_code

    def __str__(self) -> str:
        hint = f"; {self.hint}" if self.hint else ""
        return f"{self.message}{hint} [{self.code}]"

    def __reduce__(
        self,
    ) -> tuple[type["AllonymError"], tuple[str, str, str | None, int]]:
        return type(self), (self.message, self.code, self.hint, self.exit_code)


class PolicyError(AllonymError, ValueError):
    """A policy that cannot be used, or that does not fit the data."""


class DataError(AllonymError, ValueError):
    """Data that cannot be read or treated; says where, never what."""


class KeyStoreError(AllonymError):
    """A keyring or key that is missing, locked or refused."""


class StorageError(AllonymError):
    """Storage trouble that may pass: worth a retry."""


class RuleError(AllonymError, ValueError):
    """A rule, entity or country that is not known or cannot be used."""


class UsageError(AllonymError, ValueError):
    """A call that cannot mean anything."""


class InternalError(AllonymError):
    """A bug of this package; the output was withheld."""


class AllonymWarning(UserWarning):
    """Something a reviewer should know; the work was done."""
