"""The triage queue: whom to look at, with a bound on the share of false ones.

The inline alarm bounds how *often* a quiet account raises an alarm; watched long enough, all its
alarms may be false. The queue bounds, day by day or week by week, what *share* of the accounts
listed is false in the mean: another guarantee, with another construction.

Each account-day (or account-week) has one score: its largest statistic, begun anew with the
period, against the thresholds. Detectors depend on one another, so the largest speaks and nothing
is multiplied. The score is compared with those of all account-days before (conformal e-values with
a common cut), and the e-values of a day go through e-BH, which holds for any dependence between
accounts.

By theorem: if an honest account-day scores as those before it do (jointly exchangeable), the mean
share of false ones on a day's list is at most `fdr`. Thefts among the days before only make the
list shorter. Holidays, drift, and an account's days that resemble one another break the premise;
by how much is measured in `docs/detection.md`. Nothing is promised of several lists taken
together.
"""

from vigie.triage.queue import FDR as FDR
from vigie.triage.queue import Entry as Entry
from vigie.triage.queue import Queue as Queue
from vigie.triage.queue import triage as triage
from vigie.triage.scores import By as By
