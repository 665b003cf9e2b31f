"""The numbers by which a person is found."""

from partyline.domain.model.people import numbers_of, numbers_to_call
from partyline.domain.model.routes import StoredRoute
from partyline.services.contacts import without_number
from tests.contract.test_store import begun

NUMBER, OTHER = "+13125550112", "+13125550113"


def test_a_conversation_that_does_not_exist_has_no_numbers() -> None:
    assert numbers_of(None) == frozenset()


def test_both_ends_of_a_live_call_count_but_our_own_number() -> None:
    conversation = begun().conversation
    assert conversation is not None
    [leg] = conversation.host.legs
    leg.from_, leg.to = NUMBER, OTHER
    assert numbers_of(conversation) == {NUMBER, OTHER}
    conversation.route = OTHER
    assert numbers_of(conversation) == {NUMBER}


def test_a_booking_has_the_numbers_of_host_and_guests() -> None:
    guests = [{"to": [OTHER, "sip:dana@pbx.example.com"]}, {"name": "Lee"}]
    assert numbers_to_call({"to": NUMBER, "participants": guests, "metadata": {"to": "x"}}) == {
        *(NUMBER, OTHER, "sip:dana@pbx.example.com")
    }
    assert numbers_to_call({}) == frozenset()


def test_a_route_without_the_number_is_unchanged() -> None:
    route = StoredRoute(contacts={"Lee": {"to": OTHER}})
    assert without_number(route, lambda to: to == NUMBER) == (route, 0)


def test_a_contact_without_another_number_is_left_out() -> None:
    contacts = {"Dana": {"to": NUMBER, "name": "D"}, "Desk": {"to": [NUMBER, OTHER], "name": "E"}}
    route, removed = without_number(StoredRoute(contacts=contacts), lambda to: to == NUMBER)
    assert removed == 2
    assert route.contacts == {"Desk": {"to": [OTHER], "name": "E"}}
