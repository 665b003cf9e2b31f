"""No request brings the API down, or to an answer that its description does not have."""

from tests.security.fuzz import fuzz


def test_every_answer_is_as_described() -> None:
    report = fuzz(180)
    assert report.wrong == []
    assert report.requests >= 180
    # Those that are meant to be taken are, or nothing would have been tried.
    taken = [any(each < 300 for each in counted) for counted in report.answered.values()]
    assert sum(taken) >= 10, "\n".join(report.lines())
