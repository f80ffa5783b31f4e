"""What columns of access logs are called, in French and English, by waist column."""

import re
import unicodedata
from typing import Final

_HEADERS: Final = {
    "account": (
        "utilisateur | user | user id | username | login | compte | "
        "identifiant utilisateur | code utilisateur | account | agent | operateur | "
        "id user | user name | uid | login utilisateur | id utilisateur | id agent | "
        "matricule | code agent | user login | utilisateur id | id compte | "
        "nom utilisateur | username login | actor | identifiant agent | identifiant compte | "
        "identifiant operateur | identifiant connexion | nom compte | employe | employee"
    ),
    "actor_kind": "type compte | type utilisateur | account type | user type | actor type",
    "professional": (
        "rpps | adeli | id nat ps | idnat ps | id ps | identifiant ps | numero rpps | professional"
    ),
    "on_behalf_of": "pour le compte de | on behalf of | delegant | medecin responsable",
    "profession": "profession | metier | categorie",
    "specialty": "specialite | specialty | discipline",
    "role": "role | profil | profile | habilitation | fonction | droit",
    "organisation": (
        "etablissement | finess | structure | organisation | organization | site | "
        "hopital | cabinet | code etablissement | id etablissement | num finess | "
        "facility | hospital"
    ),
    "unit": (
        "unite | uf | service | ward | unit | department | departement medical | code uf | "
        "code service | libelle uf"
    ),
    "session": "session | id session | session id | sessionid",
    "auth_method": (
        "authentification | mode authentification | auth method | auth | moyen authentification"
    ),
    "client_app": "application | client app | logiciel | module | app",
    "network": (
        "ip | adresse ip | ip address | client ip | remote addr | ip client | network | "
        "adr ip | ip source | source ip"
    ),
    "device": (
        "poste | machine | workstation | host | hostname | terminal | device | nom poste | "
        "ordinateur"
    ),
    "user_agent": "user agent | useragent | navigateur",
    "action": (
        "action | operation | evenement | event | type action | type evenement | "
        "event type | code action | acte | type acces | verb | act | code operation | "
        "type operation | libelle action | operation type"
    ),
    "object": (
        "ecran | screen | objet | object | ressource | resource | page | vue | fenetre | "
        "type document | endpoint | rubrique"
    ),
    "record_count": (
        "nb lignes | lignes | nombre | record count | rows | row count | nb resultats | "
        "nombre de lignes | count | nb | nb dossiers | nb patients | nombre dossiers | "
        "nombre patients | nb enregistrements | nombre resultats | nb res | result count"
    ),
    "query_shape": (
        "critere | criteres | critere recherche | type recherche | mode recherche | "
        "query type | search type | query shape"
    ),
    "bytes": "octets | bytes | taille | size",
    "purpose": "motif | purpose | raison | reason | justification",
    "outcome": "resultat | outcome | statut | status | result | succes | success",
    "patient": (
        "ipp | patient | patient id | id patient | num patient | numero patient | nip | "
        "nda patient | nir | ins | mrn | identifiant patient | dossier | nss | "
        "numero secu | no patient | num dossier | id dossier | pat id | code patient | "
        "patient identifier | subject | matricule ins | num ipp | num nir | n patient | "
        "n dossier | person | person id | id person | personne | id personne | usager | "
        "beneficiaire | assure"
    ),
    "patient_surname": (
        "nom patient | patient nom | nom | nom usuel | nom naissance | nom de naissance | "
        "surname | last name | patient surname | patient name"
    ),
    "patient_given_name": (
        "prenom patient | prenom | patient prenom | given name | first name | patient given name"
    ),
    "patient_address": "adresse | adresse patient | address | patient address",
    "area": "departement | dept | code postal | area",
    "record_id": (
        "id | id trace | id evenement | event id | numero trace | id log | uuid | "
        "trace id | record id | num trace | no trace | id ligne | num evenement | seq | "
        "log id | audit id | identifiant trace | id action | ref trace"
    ),
    "request_id": "request id | x request id | id requete | correlation id",
}
"""Header names, folded, by waist column."""
NAMES: Final = {ours: tuple(said.split(" | ")) for ours, said in _HEADERS.items()}


def fold(text: str) -> str:
    """Write a name as those of `NAMES` are: words in lower case, without accents."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    plain = unicodedata.normalize("NFKD", spaced).encode("ascii", "ignore").decode().lower()
    return " ".join(re.findall(r"[a-z]+|[0-9]+", plain))
