"""`partyline up`: deploys, puts the keys in, connects the Telnyx account, and checks the result.

Every step looks first and changes only a difference. A run after a failure therefore continues, and
a run after a success changes nothing. The order needs no second deployment: the Telnyx application
is made first, switched off, because the deployment needs the application's id; the application gets
the deployment's URL afterwards.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.connect import application, doctor, numbers, profiles, skip_turn, tools
from local.connect.account import Account
from local.connect.findings import Finding
from local.connect.records import Record, Records
from local.up import keys
from local.up.choices import (
    APPLICATION,
    ASSISTANT,
    CHOICES,
    NUMBER,
    Ask,
    EarlierChoices,
    choose,
    phone_number_or_none,
)
from local.up.first_call import FirstCall
from local.up.release import Deployer, release_parameters
from local.up.stack import Stack, StackError, StackState

_DEFAULT_COUNTRIES = ("US", "CA")


@dataclass(frozen=True)
class Request:
    """What the command line says.

    `parameters` has the template's parameters that the user sets, `telnyx_key` may be empty.
    `call` is the number of a first call; None: `up` offers a first call.
    """

    stage: str
    telnyx_key: str = ""
    application_id: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    call: str | None = None

    @property
    def stack_name(self) -> str:
        """The name of the stack, of the Telnyx application and of a new outbound profile."""
        return f"partyline-{self.stage}"


@dataclass(frozen=True)
class Surroundings:
    """The programs, accounts and folders that `up` and `down` work with.

    `declared` has the template's parameters by name, `rights` all rights of a bearer key.
    `open_account` opens the Telnyx account of an API key.
    """

    stack: Stack
    deployer: Deployer
    open_account: Callable[[str], Account]
    records: Records
    earlier: EarlierChoices
    operator_key: keys.OperatorKey
    declared: Mapping[str, Any]
    rights: tuple[str, ...]
    ask: Ask
    say: Callable[[str], None]
    report: Callable[[Finding], None]
    sleep: Callable[[float], None]

    @classmethod
    def folders(
        cls, folder: Path, home: Path, stack: str
    ) -> tuple[EarlierChoices, keys.OperatorKey]:
        """Return the files of a stack: the choices, and the operator's key in the user's home."""
        return (
            EarlierChoices(folder / f"up-{stack}.json"),
            keys.OperatorKey(home / ".partyline" / stack / "bearer-key"),
        )


def up(request: Request, around: Surroundings) -> bool:
    """Bring the deployment up. Returns whether the doctor found nothing wrong.

    Raises the errors of its parts; a second run continues.
    """
    say = around.say
    say(f"The stack {request.stack_name} in the AWS account {around.stack.account()}.")
    state = around.stack.settle()
    key = telnyx_key(request.telnyx_key, state, around)
    with closing(around.open_account(key)) as account:
        known = _known(request, state, around)
        chosen = choose(account, known, around.ask)
        around.earlier.write({**around.earlier.read(), **chosen})
        record = _prepare(account, request, around, known)
        around.earlier.write({**chosen, APPLICATION: record.application_id})
        state = _deploy(request, around, state, chosen, record)
        _say_all(say, keys.put_telnyx_key(around.stack, state, key))
        _say_all(say, around.operator_key.put(around.stack, state, around.rights, say))
        url = url_of(state)
        for line in _connect(account, around, request.stack_name, record, state, chosen):
            say(line)
        say(f"Partyline is at {url}. The doctor's findings:")
        is_healthy = _is_healthy(account, around, record, state, chosen)
    if is_healthy:
        _offer_call(request, around, url)
    else:
        say("Repair the findings that are wrong, then run `partyline up` again.")
    return is_healthy


def telnyx_key(given: str, state: StackState | None, around: Surroundings) -> str:
    """Return Telnyx's API key: as given, else from the deployment's secret, else the answer."""
    return (
        given
        or keys.stored_telnyx_key(around.stack, state)
        or around.ask(
            "A Telnyx API key (portal: API Keys)", "--key-from", check=_api_key, hidden=True
        )
    )


def url_of(state: StackState) -> str:
    """Return where Telnyx reaches the deployment."""
    return state.parameters.get("PublicBaseUrl") or state.output("ApiUrl")


def _api_key(answer: str) -> str:
    answer = answer.strip()
    if not answer or not answer.isascii() or not answer.isprintable() or " " in answer:
        raise ValueError("This text cannot be an API key.")
    return answer


def _known(request: Request, state: StackState | None, around: Surroundings) -> dict[str, str]:
    """Return the values that need no question: requested, else deployed, else of an earlier run."""
    deployed = state.parameters if state else {}
    earlier = around.earlier.read()
    return {
        name: request.parameters.get(name) or deployed.get(name) or earlier.get(name, "")
        for name in (*CHOICES, APPLICATION)
    }


def _prepare(
    account: Account, request: Request, around: Surroundings, known: Mapping[str, str]
) -> Record:
    """Return the record of the application, and make the application if none exists.

    The id 0 stands for no application in a deployment by hand. Raises AccountError for an id of the
    command line that does not exist.
    """
    earlier, records = known[APPLICATION].strip("0") and known[APPLICATION], around.records
    deleted = None
    if earlier and not application.exists(account, earlier):
        deleted, earlier = records.find(earlier), ""
    record, changes = application.prepare(
        account, records, request.stack_name, request.application_id or earlier or None
    )
    if deleted:
        # The tools are named after the application; all other changes stay in force.
        changes += tools.remove_tools(account, deleted)
        record.numbers = {**deleted.numbers, **record.numbers}
        record.skip_turn = sorted({*deleted.skip_turn, *record.skip_turn})
        record.profile = record.profile or deleted.profile
        records.save(record)
        records.delete(deleted)
    _say_all(around.say, changes)
    return record


def _deploy(
    request: Request,
    around: Surroundings,
    state: StackState | None,
    chosen: Mapping[str, str],
    record: Record,
) -> StackState:
    """Deploy the commit unless exactly this release is deployed. Returns the stack's state."""
    requested = {
        "Stage": request.stage,
        **request.parameters,
        **chosen,
        APPLICATION: record.application_id,
    }
    commit = around.deployer.commit()
    parameters = release_parameters(around.declared, state, requested, commit)
    if parameters:
        around.say(f"Deploying the commit {commit[:8]}: this takes some minutes.")
        tags = {"application": "partyline", "stage": request.stage, **request.tags}
        around.deployer.deploy(request.stack_name, parameters, tags)
        around.say("deployed the stack")
        state = around.stack.settle()
    if state is None or not state.is_deployed:
        raise StackError(f"The stack {request.stack_name} is not deployed.")
    return state


def _connect(
    account: Account,
    around: Surroundings,
    name: str,
    record: Record,
    state: StackState,
    chosen: Mapping[str, str],
) -> Iterator[str]:
    """Set the Telnyx account up. Yields a line for each change."""
    records, url, assistant_id = around.records, url_of(state), chosen[ASSISTANT]
    current = application.find(account, record.application_id, name)
    profile_id, changes = profiles.choose(
        account, records, record, current or {}, name, _countries(state)
    )
    yield from changes
    settings = application.ApplicationSettings(
        url, name, record.application_id, profile_id=profile_id
    )
    record, changes = application.connect(account, records, settings)
    yield from changes
    yield from numbers.assign(account, records, record, chosen[NUMBER])
    yield from tools.attach_tools(account, records, record, url, assistant_id)
    yield from skip_turn.add(account, records, record, assistant_id)


def _countries(state: StackState) -> tuple[str, ...]:
    """Return the countries that may be called. Telnyx's list has no name for all countries."""
    allowed = state.parameters.get("AllowedCountries", "").split(",")
    return tuple(country for country in allowed if country.isalpha()) or _DEFAULT_COUNTRIES


def _is_healthy(
    account: Account,
    around: Surroundings,
    record: Record,
    state: StackState,
    chosen: Mapping[str, str],
) -> bool:
    context = doctor.Context(
        url=url_of(state),
        name="",
        application_id=record.application_id,
        assistant_id=chosen[ASSISTANT],
        max_minutes=int(state.parameters.get("MaxMinutes") or 120),
    )
    findings = list(doctor.examine(account, context))
    for finding in findings:
        around.report(finding)
    return all(finding.verdict != "wrong" for finding in findings)


def _offer_call(request: Request, around: Surroundings, url: str) -> None:
    """Start the requested call, or offer a first call if there has been no conversation."""
    key = around.operator_key.read()
    if not key:
        return
    with closing(FirstCall(url, key, around.sleep)) as api:
        number = request.call
        if number is None and not api.has_had_conversations():
            number = around.ask(
                "Your phone number for a first call (nothing: no call)",
                "--call",
                check=phone_number_or_none,
            )
        if number:
            around.say(f"Calling {number}: conversation {api.start(number)}.")


def _say_all(say: Callable[[str], None], lines: list[str]) -> None:
    for line in lines:
        say(line)
