"""Rules and pictures that processes have together: who answers takes the next of all."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from ..faults import Fault
from ..scenario import Failure, ImageFailure, Reply, Rule, Scenario
from ..when import When
from .store import Store, encoded

# What changes when rules or pictures do, whoever changed them.
_RULES_VERSION, _IMAGES_VERSION = "rules:version", "pictures:version"

_RULES, _LEFT, _THROWN = "rules", "rules:left", "rules:thrown"
_ADDED, _SEED, _SOURCE = "rules:added", "rules:seed", "rules:source"

# Pictures by their address, and the hash of each, by which others see which are new.
_IMAGES, _HASHES = "pictures", "pictures:hashes"

# How many rules were used up, and the numbers of the last of them: who missed more reads all again.
_ENDED, _ENDED_LAST = "rules:ended", "rules:ended:last"
_MOST_MISSED = 100

# As far as Redis counts.
_MOST_LEFT = 2**63 - 1

Command = tuple[str | bytes | float, ...]


class _Written(msgspec.Struct, frozen=True):
    """A rule as it stands in Redis; how often it is left stands beside it."""

    when: When
    name: str
    probability: float
    fault: Fault | None = None
    reply: Reply | None = None
    failure: Failure | None = None
    image_failure: bool = False

    @classmethod
    def of(cls, rule: Rule) -> "_Written":
        answer = rule.answer
        return cls(
            rule.when,
            rule.name,
            rule.probability,
            rule.fault,
            answer if isinstance(answer, Reply) else None,
            answer if isinstance(answer, Failure) else None,
            isinstance(answer, ImageFailure),
        )

    def rule(self, number: int, left: bytes | None) -> Rule:
        image_failure = ImageFailure() if self.image_failure else None
        return Rule(
            self.when,
            self.reply or self.failure or image_failure,
            self.fault,
            None if left is None else int(left),
            self.probability,
            self.name,
            number,
        )


@dataclass
class SharedScenario(Scenario):
    """The rules as they stand in Redis; here is what they were at the last `refresh`."""

    store: Store = field(kw_only=True)
    _seen_rules: bytes | None = None
    _seen_ended: bytes | None = None
    _seen_images: bytes | None = None
    _seen_hashes: dict[bytes, bytes] = field(default_factory=dict)

    def refresh(self) -> None:
        """Look whether the file of the scenario has changed, and what others did."""
        super().refresh()
        keys = map(self.store.key, (_RULES_VERSION, _ENDED, _IMAGES_VERSION))
        rules, ended, images = self.store.ask("MGET", *keys)
        if rules != self._seen_rules:
            self._read_rules()
            self._seen_rules = rules
        elif ended != self._seen_ended:
            self._leave_out_ended()
        if images != self._seen_images:
            self._read_images()
            self._seen_images = images

    def clear(self) -> None:
        """Forget everything."""
        super().clear()
        self._seen_hashes = {}
        self._change(self._forgotten(), _RULES_VERSION, _IMAGES_VERSION)

    def take(self, rules: Iterable[Rule], images: Mapping[str, bytes], seed: int | None) -> None:
        """Put what a file says in the place of all; of those who read the same one does so."""
        commands = self._replacing(rules, images, seed)
        source = hashlib.sha256(encoded(commands)).hexdigest()
        key = self.store.key(_SOURCE)
        if self.store.ask("GETSET", key, source) != source.encode():
            commands.append(("SET", key, source))
            self._change(commands, _RULES_VERSION, _IMAGES_VERSION)

    def replace(self, rules: Iterable[Rule], images: Mapping[str, bytes], seed: int | None) -> None:
        """Put other rules and pictures in the place of all that there were."""
        commands = self._replacing(rules, images, seed)
        self._change(commands, _RULES_VERSION, _IMAGES_VERSION)

    def add(self, rule: Rule) -> None:
        """Add a rule behind all others; raises TypeError for a function."""
        _check(rule)
        number: int = self.store.ask("INCR", self.store.key(_ADDED))
        self._change(self._written(rule, number), _RULES_VERSION)

    def serve_image(self, url: str, data: bytes) -> None:
        """Put a picture behind an address."""
        self._change(self._served(url, data), _IMAGES_VERSION)

    def _throw(self, rule: Rule) -> int:
        thrown: int = self.store.ask("HINCRBY", self.store.key(_THROWN), rule.number, 1)
        return thrown

    def _use(self, rule: Rule) -> bool:
        if rule.left is None:
            return True
        left = self.store.ask("HINCRBY", self.store.key(_LEFT), rule.number, -1)
        if left == 0:
            self._end(rule)
        return bool(left >= 0)

    def _end(self, rule: Rule) -> None:
        """Forget a rule that is used up, and tell the others its number."""
        key = self.store.key
        last = key(_ENDED_LAST)
        self._change(
            [
                *[("HDEL", key(name), rule.number) for name in (_RULES, _LEFT, _THROWN)],
                ("RPUSH", last, rule.number),
                ("LTRIM", last, -_MOST_MISSED, -1),
            ],
            _ENDED,
        )

    def _leave_out_ended(self) -> None:
        """Forget the rules that were used up meanwhile; all that are left may be thousands."""
        key = self.store.key
        ended, last = self.store.together(("GET", key(_ENDED)), ("LRANGE", key(_ENDED_LAST), 0, -1))
        missed = int(ended or 0) - int(self._seen_ended or 0)
        if not 0 <= missed <= len(last):
            self._read_rules()
            return
        gone = {int(number) for number in last[len(last) - missed :]}
        self.rules = [rule for rule in self.rules if rule.number not in gone]
        self._seen_ended = ended

    def _change(self, commands: list[Command], *versions: str) -> None:
        self.store.together(*commands, *(("INCR", self.store.key(name)) for name in versions))

    def _replacing(
        self, rules: Iterable[Rule], images: Mapping[str, bytes], seed: int | None
    ) -> list[Command]:
        """Give what writes these in the place of all."""
        key, commands, number = self.store.key, self._forgotten(), 0
        for number, rule in enumerate(rules, 1):
            commands += self._written(rule, number)
        for url, data in images.items():
            commands += self._served(url, data)
        if seed is not None:
            commands.append(("SET", key(_SEED), seed))
        return [*commands, ("SET", key(_ADDED), number)]

    def _forgotten(self) -> list[Command]:
        names = (
            _RULES,
            _LEFT,
            _THROWN,
            _ADDED,
            _SEED,
            _SOURCE,
            _ENDED,
            _ENDED_LAST,
            _IMAGES,
            _HASHES,
        )
        return [("DEL", *map(self.store.key, names))]

    def _served(self, url: str, data: bytes) -> list[Command]:
        """Give what puts a picture behind an address."""
        digest = hashlib.sha256(data).digest()
        key = self.store.key
        return [("HSET", key(_IMAGES), url, data), ("HSET", key(_HASHES), url, digest)]

    def _written(self, rule: Rule, number: int) -> list[Command]:
        """Give what writes a rule."""
        _check(rule)
        rule.number, rule.name = number, rule.name or f"rule {number}"
        data = encoded(_Written.of(rule))
        return [("HSET", self.store.key(_RULES), number, data), self._counted(rule, number)]

    def _counted(self, rule: Rule, number: int) -> Command:
        left = self.store.key(_LEFT)
        if rule.left is None:
            # Somebody may have used a rule of this number when it was forgotten already.
            return ("HDEL", left, number)
        return ("HSET", left, number, min(rule.left, _MOST_LEFT))

    def _read_rules(self) -> None:
        key = self.store.key
        rules, left, seed, self._seen_ended = self.store.together(
            ("HGETALL", key(_RULES)),
            ("HGETALL", key(_LEFT)),
            ("GET", key(_SEED)),
            ("GET", key(_ENDED)),
        )
        self.told_seed = None if seed is None else int(seed)
        self.rules = [
            self.store.decoded(rules[number], _Written).rule(int(number), left.get(number))
            for number in sorted(rules, key=int)
            # Somebody took the last of it, and is about to remove it.
            if int(left.get(number, 1)) > 0
        ]

    def _read_images(self) -> None:
        """Read the pictures that are new, or others than before: all of them may be many."""
        hashes = self.store.ask("HGETALL", self.store.key(_HASHES))
        for url in self._seen_hashes.keys() - hashes.keys():
            del self.images[url.decode()]
        changed = [url for url, digest in hashes.items() if self._seen_hashes.get(url) != digest]
        read = self.store.ask("HMGET", self.store.key(_IMAGES), *changed) if changed else []
        if None in read:
            # Somebody forgot all of them meanwhile: whoever looks next finds what there is then.
            self.images.clear()
            hashes = {}
        else:
            self.images.update(zip([url.decode() for url in changed], read, strict=True))
        self._seen_hashes = hashes


def _check(rule: Rule) -> None:
    if callable(rule.answer):
        raise TypeError(
            "a function can't answer where the state is shared: other processes don't have it"
        )
