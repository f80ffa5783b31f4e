"""A hospital information system's audit trail: one CSV a day, as French systems export it.

Semicolons, Windows-1252, local time, a header in each file. A result page gives one line per
patient, all with the number of the same trace.
"""

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from vigie.simulate.world import World
from vigie.simulate.writers.database import DatabaseLog
from vigie.simulate.writers.logfiles import Day, LogFolder, days, local_text
from vigie.simulate.writers.texts import CSV, Texts, line

HEADER: Final = (
    "DATE_HEURE;NUM_TRACE;SESSION;LOGIN;TYPE_COMPTE;RPPS;NOM_AGENT;PRENOM_AGENT;METIER;SPECIALITE;"
    "PROFIL;POUR_LE_COMPTE_DE;FINESS;UF;POSTE;ADRESSE_IP;NAVIGATEUR;AUTHENTIFICATION;ACTION;ECRAN;"
    "CRITERE;NB_DOSSIERS;OCTETS;MOTIF;RESULTAT;IPP;NOM_PATIENT;PRENOM_PATIENT;NE_LE;ADRESSE;DEPT"
)
ACTIONS: Final = {
    "search": "RECHERCHE", "list": "LISTE", "open": "CONSULTATION", "export": "EXPORT",
    "print": "IMPRESSION", "rights_check": "DROITS", "create": "CREATION",
    "update": "MODIFICATION", "delete": "SUPPRESSION", "merge": "FUSION", "login": "CONNEXION",
    "logout": "DECONNEXION", "privilege_change": "HABILITATION", "log_change": "PURGE_TRACE",
    "break_glass": "BRIS_DE_GLACE", "stock": "STOCK_PHARMACIE", "billing": "FACTURATION",
    "other": "DIVERS",
}  # fmt: skip
SHAPES: Final = {
    "exact_id": "IPP", "exact_name": "NOM", "prefix": "DEBUT_NOM", "wildcard": "JOKER",
    "criteria": "MULTI", "none": "",
}  # fmt: skip
OUTCOMES: Final = {
    "success": "OK",
    "minor_failure": "REFUS",
    "serious_failure": "ECHEC",
    "major_failure": "ERREUR",
}
KINDS: Final = {"person": "NOMINATIF", "service": "TECHNIQUE", "shared": "GENERIQUE"}


def write(world: World, log: LogFolder) -> None:
    """Write `audit/audit_YYYYMMDD.csv` and the database's own log (see `database`)."""
    texts = Texts(world, CSV)
    database = DatabaseLog(world, log)
    for day in days(world):
        name = f"audit/audit_{day.name.replace('-', '')}.csv"
        log.begin(name, HEADER, "cp1252")
        elsewhere = database.passes_here(day.accesses)
        rows = np.flatnonzero(~elsewhere)
        lines = log.append(name, _lines(texts.of(day.accesses.take(pa.array(rows)))))
        log.place(name, day.first + rows, lines)
        _blank_line(log, name, day)
        if elsewhere.any():
            database.write(day, np.flatnonzero(elsewhere))


def _blank_line(log: LogFolder, name: str, day: Day) -> None:
    """End one file in five with an empty line, as a text editor leaves it."""
    if int(day.name[-2:]) % 5 == 0:
        log.append(name, pa.array([""]))


def _lines(texts: Texts) -> pa.Array:
    kind = texts.account("kind")
    for ours, theirs in KINDS.items():
        kind = pc.replace_substring(kind, ours, theirs)
    fields = [
        local_text(texts.codes("at"), "%d/%m/%Y %H:%M:%S"),
        texts.request(), texts.session(),
        texts.account("login"), kind, texts.account("professional"),
        texts.account("surname"), texts.account("given_name"), texts.account("profession"),
        texts.account("specialty"), texts.account("role"),
        texts.account("login", "on_behalf_of"), texts.organisation("finess"),
        texts.listed("unit", "units"), texts.listed("device", "devices"),
        texts.listed("network", "networks"), texts.listed("user_agent", "user_agents"),
        texts.listed("auth_method", "auth_methods"), texts.said("action", ACTIONS),
        texts.listed("object", "objects"), texts.said("query_shape", SHAPES),
        texts.numbers("record_count"), texts.numbers("bytes"),
        texts.listed("purpose", "purposes"), texts.said("outcome", OUTCOMES),
        texts.patient("number"), texts.patient("surname"), texts.patient("given_name"),
        texts.patient("birth_date"), texts.patient("address"), texts.patient("area"),
    ]  # fmt: skip
    return line(*[part for field in fields for part in (field, ";")][:-1])
