"""What the command line says about itself, in the language of the terminal (LANG): English, else Spanish."""

import sys

from clavero.settings import variable

_TEXTS = {
    "title": ("clavero {version}", "clavero {version}"),
    "once": ("once, within 15 min", "una vez, en 15 min"),
    "provider": ("Provider", "Proveedor"),
    "keys": ("Keys    ", "Claves   "),
    "simulated": ("simulated: invented answers, no charge", "simulado: respuestas inventadas, sin cargo"),
    "private": ("in {place} (readable by you alone)", "en {place} (solo tú puedes leerlas)"),
    "try": ("Try it:", "Pruébalo:"),
    "found": ("{name} found. To use it:", "{name} está definida. Para usarla:"),
    "ready": ("Ready in {seconds} s. Ctrl-C stops it.", "Listo en {seconds} s. Ctrl-C lo detiene."),
    "draining": ("Draining…", "Terminando las llamadas abiertas…"),
    "fix": ("fix", "remedio"),
}


def language() -> str:
    """`es` where the terminal speaks Spanish, else `en`."""
    spoken = variable("LC_ALL") or variable("LC_MESSAGES") or variable("LANG")
    return "es" if spoken.lower().startswith("es") else "en"


def speak(key: str, **facts: object) -> str:
    """A text in the language of the terminal."""
    english, spanish = _TEXTS[key]
    return (spanish if language() == "es" else english).format(**facts)


def say(text: str) -> None:
    """Write a line for people: to stderr, so that data on stdout stays clean."""
    print(text, file=sys.stderr, flush=True)
