# SPDX-License-Identifier: Apache-2.0
"""Every stable code that a service sends is a class that a script can catch."""

import pytest

from flocx_client import errors
from flocx_common.api.errors import CODES, status_of
from tests.unit.documented import error_table

KINDS = {
    400: errors.BadRequest,
    401: errors.Unauthorized,
    403: errors.Forbidden,
    404: errors.NotFound,
    409: errors.Conflict,
    412: errors.PreconditionFailed,
    413: errors.BadRequest,
    500: errors.ServiceFailed,
    503: errors.ServiceFailed,
}

#: code -> status, of all that is ever sent over HTTP.
SENT = {one.code: int(status_of(one.__new__(one))) for one in error_table.classes()}
SENT = {code: status for code, status in SENT.items() if status != 500} | {
    code: int(status) for status, code in CODES.items()
}


def refused(status, code):
    return errors.refusal(status, {"errors": [{"status": status, "code": code, "detail": "d"}]}, None)


@pytest.mark.parametrize("code", sorted(SENT))
def test_a_code_that_is_sent_has_a_class_of_its_own_of_the_kind_of_its_status(code):
    error = refused(SENT[code], code)
    assert vars(type(error))["code"] == code, "no class has this code"
    assert error.code == code
    assert isinstance(error, KINDS.get(SENT[code], errors.RequestRefused))


def test_no_class_has_a_code_that_is_never_sent():
    def below(kind):
        for one in kind.__subclasses__():
            yield one
            yield from below(one)

    named = {one.code for one in below(errors.RequestRefused) if "code" in vars(one)}
    assert named == set(SENT)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (404, "flocx.bid.not_found", errors.BidNotFound),
        (409, "flocx.offer.overlap", errors.OffersOverlap),
        (409, "flocx.thing.of_a_newer_service", errors.Conflict),
        (409, None, errors.Conflict),
        (418, "flocx.thing.of_a_newer_service", errors.RequestRefused),
        # What a status means is not for a code to turn around.
        (500, "flocx.bid.not_found", errors.ServiceFailed),
    ],
)
def test_an_error_is_of_its_code_s_class_and_of_its_status_s_kind_where_the_code_is_unknown(status, code, kind):
    assert type(refused(status, code)) is kind


def test_the_first_of_several_faults_gives_the_class_and_all_are_told():
    body = {
        "errors": [
            {"status": 400, "code": "flocx.price.invalid", "detail": "limit_price: 'x'", "field": "limit_price"},
            {"status": 400, "code": "flocx.window.invalid", "detail": "end_time: past", "field": "end_time"},
        ]
    }
    error = errors.refusal(400, body, "req-1")
    assert type(error) is errors.PriceInvalid
    assert (error.field, error.request_id) == ("limit_price", "req-1")
    assert error.detail == "limit_price: 'x'; end_time: past"
