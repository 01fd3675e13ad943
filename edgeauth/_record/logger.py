"""The logger ``edgeauth``, which a configuration of logging does not silence by accident.

``logging.config`` (``dictConfig``, ``fileConfig``) disables every logger that exists by then and
that the configuration does not name, unless it is told otherwise. So would the refusals of an
app that sets up its logging after its imports be lost, and a log without a refusal reads as
"safe". A logger that was disabled like this is enabled again when it has something to say.

Its level, handlers, filters and ``propagate`` are the operator's, and stay as they are.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import MutableMapping


class EnabledLogger(logging.LoggerAdapter[logging.Logger]):
    """A logger that is enabled, whatever a configuration did to it in passing."""

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 - the name of logging
        """As of every logger: whether a line of *level* would be written."""
        if self.logger.disabled:
            self.logger.disabled = False
            self.logger.warning(
                "a configuration of logging had disabled the logger %s, and it is enabled again: "
                "name it in that configuration, or set disable_existing_loggers to False; "
                "to have less of it, give it a level",
                self.logger.name,
            )
        return super().isEnabledFor(level)

    def process(
        self,
        msg: Any,  # noqa: ANN401 - the signature of logging
        kwargs: MutableMapping[str, Any],
    ) -> tuple[Any, MutableMapping[str, Any]]:
        """Both as they are: ``extra`` belongs to the line."""
        return msg, kwargs


logger = EnabledLogger(logging.getLogger("edgeauth"))
