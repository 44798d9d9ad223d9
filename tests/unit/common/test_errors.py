# SPDX-License-Identifier: Apache-2.0
from http import HTTPStatus

import flocx_provider.bootstrap  # noqa: F401 - every module that defines an error is loaded by these
from flocx_common.api.errors import InvalidMany, error_response, status_of
from flocx_common.domain import errors


def kinds() -> list[type[errors.FlocxError]]:
    found, waiting = [], [errors.FlocxError]
    while waiting:
        kind = waiting.pop()
        found.append(kind)
        waiting += kind.__subclasses__()
    return found


def test_every_code_belongs_to_one_class():
    own = [kind for kind in kinds() if "code" in vars(kind)]
    codes = [kind.code for kind in own]
    assert sorted(codes) == sorted(set(codes))
    assert all(code.startswith("flocx.") for code in codes)


def test_every_kind_has_a_title_and_a_docstring():
    assert all(kind.title and kind.__doc__ for kind in kinds())


def test_every_refusal_a_user_can_meet_has_a_status_below_500():
    internal = (errors.FlocxError, errors.ConfigurationInvalid)
    for kind in kinds():
        if kind not in internal and not issubclass(kind, errors.Unavailable):
            assert 400 <= status_of(kind.__new__(kind)) < 500, kind


def test_an_answer_names_status_code_detail_field_and_request():
    response = error_response(errors.BidNotFound("bid: there is none", field="uuid"), "req-1")
    assert response.status_int == HTTPStatus.NOT_FOUND
    assert response.json["errors"] == [
        {
            "status": 404,
            "code": "flocx.bid.not_found",
            "title": "There is no such bid",
            "detail": "bid: there is none",
            "field": "uuid",
            "request_id": "req-1",
        }
    ]


def test_several_problems_are_all_told():
    both = InvalidMany([errors.Invalid("a: bad", field="a"), errors.PriceInvalid("b: bad", field="b")])
    told = error_response(both, None).json["errors"]
    assert [one["code"] for one in told] == ["flocx.request.invalid", "flocx.price.invalid"]
