"""The names that class folders and values of a label column commonly have, in six languages.

A name is compared by its words: without case, accents and punctuation, so that ``Negative(normal)``, ``SIN-FRACTURA``
and ``no_fracture`` are understood. A name with any other word is not known: *comminuted fracture* may be one class of
twelve, and only a person can say what it stands for.
"""

import re
import unicodedata
from collections.abc import Iterable

_FINDING = {
    *("positive", "pos", "positiv", "positif", "positivo", "positiva", "positivi", "positives", "positivos"),
    *("abnormal", "abnormals", "abnormality", "abnormalities", "anormal", "anormale", "anormales", "anormaux"),
    *("anormais", "anomal", "anomalie", "anomalies", "anomalia", "anomalias", "auffallig", "befund"),
    *("anomalo", "anormalidad", "anormalidade", "anormali", "pathologisch", "pathological", "pathologique"),
    *("pathology", "patologico", "patologica", "finding", "findings", "hallazgo", "hallazgos", "achados"),
    *("fracture", "fractures", "fractured", "broken", "break", "breaks", "fx", "frac", "fract"),
    *("fraktur", "frakturen", "frakturiert", "gebrochen", "gebrochene", "bruch", "bruche", "brueche"),
    *("knochenbruch", "knochenbruche", "fracturee", "fracturees", "fracturs", "casse", "cassee", "casses"),
    *("fractura", "fracturas", "fracturado", "fracturada", "fracturados", "fracturadas", "roto", "rota", "rotos"),
    *("lesion", "lesions", "lesione", "lesioni", "lesao", "lesoes", "lasion", "unhealthy", "injured", "verletzt"),
    *("fratura", "fraturas", "fraturado", "fraturada", "fraturados", "fraturadas", "quebrado", "quebrada"),
    *("frattura", "fratture", "fratturato", "fratturata", "fratturati", "fratturate", "rotto", "rotta", "rotti"),
}
"""Words for an image that shows something; German umlauts without their dots."""

_NO_FINDING = {
    *("negative", "neg", "negativ", "negatif", "negativo", "negativa", "negativi", "negatives", "negativos"),
    *("normal", "normals", "normale", "normales", "normaux", "normais", "normali", "unauffallig", "unauffaellig"),
    *("healthy", "gesund", "gesunde", "sain", "saine", "sains", "saines", "sano", "sana", "sanos", "sanas", "sani"),
    *("saudavel", "saudaveis", "sadio", "sadia", "intact", "intakt", "intacte", "intactes", "intacto", "intacta"),
    *("intatto", "intatta", "integro", "unbroken", "control", "controls", "kontrolle", "kontrollen"),
    *("unfractured", "nonfractured", "nonfracture", "nofracture", "notfractured", "nonfx", "nofx", "nofinding"),
    *("controle", "controles", "controlli", "unremarkable", "ungebrochen", "nichtfrakturiert"),
}
"""Words for an image that shows nothing."""

_NEGATION = {
    *("no", "not", "non", "without", "kein", "keine", "keinen", "nicht", "ohne", "sans", "pas", "aucune", "aucun"),
    *("sin", "ningun", "ninguna", "sem", "nao", "nenhum", "nenhuma", "senza", "nessuna", "nessun", "niente", "wo"),
}
_NOISE = {
    *("with", "mit", "avec", "con", "com", "has", "de", "d", "di", "da", "the", "a", "of"),
    *("bone", "bones", "knochen", "os", "hueso", "huesos", "osso", "ossos", "ossa", "case", "cases", "patients"),
    *("image", "images", "img", "imgs", "bilder", "imagenes", "imagens", "immagini", "radiographs", "radiograph"),
    *("radiografias", "radiografie", "radiographies", "xray", "xrays", "x", "ray", "rays", "class", "klasse"),
    *("clase", "classe", "label", "folder", "set", "data", "dataset", "sample", "samples"),
}
"""Words that say nothing about the class."""

_WEAK = {
    **{"0": 0, "no": 0, "false": 0, "nein": 0, "falsch": 0, "nao": 0, "non": 0, "falso": 0, "faux": 0, "n": 0},
    **{"1": 1, "yes": 1, "true": 1, "ja": 1, "wahr": 1, "si": 1, "sim": 1, "oui": 1, "vrai": 1, "y": 1},
    **{"0.0": 0, "1.0": 1, "vero": 1, "verdadero": 1, "verdadeiro": 1},
}
"""Answers to a question that nobody asked: they count where no name of the data set says more."""


_MINUS = ("-", "\N{MINUS SIGN}")


def words_of(name: str) -> list[str]:
    """The words of a name in lower case, without accents: ``Não-Fraturado`` is ``nao fraturado``."""
    bare = unicodedata.normalize("NFKD", name.casefold())
    letters = "".join(sign for sign in bare if not unicodedata.combining(sign))
    return re.findall(r"[^\W\d_]+|\d+", letters)


def stated_words(name: str) -> list[str]:
    """The words of a name that may say something about a class or a split."""
    return [word for word in words_of(name) if word not in _NOISE]


def class_of(name: str) -> int | None:
    """The label, 0 or 1, that the words of a name stand for; None where they stand for none, or for both.

    A number before or after the words only orders folders: ``0_normal`` is normal.
    """
    if "?" in name:
        return None
    stated = [word for word in stated_words(name) if not word.isdigit()]
    labels = set()
    negated = False
    for word in stated:
        if word in _NEGATION:
            negated = True
        elif word in _FINDING or word in _NO_FINDING:
            labels.add(int((word in _FINDING) != negated))
            negated = False
        else:
            return None
    # A negation of nothing is an answer, see _WEAK.
    return labels.pop() if len(labels) == 1 and not negated else None


def weak_class_of(name: str) -> int | None:
    """The label of a digit, or of yes and no: ``0``, ``class 1``, ``true``; None for other names."""
    bare = name.strip().casefold()
    if bare in _WEAK:
        return _WEAK[bare]
    # -1 often stands for "uncertain", and is not 1.
    if bare.startswith(_MINUS) or "?" in bare:
        return None
    stated = stated_words(name)
    return _WEAK.get(stated[0]) if len(stated) == 1 else None


def weak_classes(names: Iterable[str]) -> dict[str, int]:
    """The labels of names that are answers; none unless they are a whole set of answers to one question.

    Where 2 is another of the names, 0 and 1 may be grades or patients.
    """
    label_of = {name: weak_class_of(name) for name in names}
    found = {name: label for name, label in label_of.items() if label is not None}
    complete = len(found) == len(label_of) == 2 and set(found.values()) == {0, 1}
    return found if complete else {}
