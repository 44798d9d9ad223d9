# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace
from datetime import timedelta

import pytest

from flocx_common.domain.errors import InvalidTransition, OffersOverlap
from flocx_common.domain.window import TimeWindow
from flocx_provider.domain.availability import node_free_windows
from flocx_provider.domain.offer import OfferStatus, Publication, examined, refuse_overlap
from tests.builders import NOW, at
from tests.unit.provider.builders import provider_allocation, provider_offer

PUBLISHED = {"publication": Publication.PUBLISHED}


def test_a_changed_offer_is_told_to_the_market_again():
    assert provider_offer(**PUBLISHED).told("change", NOW).publication is Publication.PENDING


def test_withdrawing_is_told_to_the_market_whatever_it_knows():
    for state in (Publication.PENDING, Publication.PUBLISHED, Publication.REFUSED):
        withdrawn = provider_offer(publication=state).after("withdraw", NOW)
        assert (withdrawn.status, withdrawn.publication) == (OfferStatus.WITHDRAWN, Publication.WITHDRAWING)


def test_an_expired_offer_needs_no_telling():
    expired = provider_offer(**PUBLISHED).after("expire", NOW)
    assert (expired.status, expired.publication) == (OfferStatus.EXPIRED, Publication.PUBLISHED)
    with pytest.raises(InvalidTransition):
        expired.after("withdraw", NOW)


def test_health_suspends_and_brings_back_and_both_are_told():
    sick = examined(provider_offer(**PUBLISHED), "fan", NOW)
    assert (sick.status, sick.status_reason, sick.publication) == (OfferStatus.SUSPENDED, "fan", Publication.PENDING)
    other = examined(replace(sick, **PUBLISHED), "power", NOW)
    assert (other.status_reason, other.problem, other.publication) == ("power", "power", Publication.PENDING)
    well = examined(replace(other, **PUBLISHED), None, NOW)
    assert (well.status, well.status_reason, well.publication) == (OfferStatus.AVAILABLE, None, Publication.PENDING)


def test_an_examination_that_finds_nothing_new_changes_nothing():
    offer = provider_offer(**PUBLISHED)
    assert examined(offer, None, NOW) == offer
    final = provider_offer(status=OfferStatus.WITHDRAWN)
    assert examined(final, "fan", at(200)) == final


def test_an_offer_expires_at_its_end():
    assert examined(provider_offer(), None, at(100)).status is OfferStatus.EXPIRED


def test_only_standing_offers_hold_their_window():
    window = TimeWindow(at(50), at(150))
    with pytest.raises(OffersOverlap, match="n1"):
        refuse_overlap(window, [provider_offer()], "n1")
    refuse_overlap(window, [provider_offer(status=OfferStatus.WITHDRAWN)], "n1")
    refuse_overlap(TimeWindow(at(100), None), [provider_offer()], "n1")


def test_a_node_is_free_where_it_is_offered_and_not_promised():
    free = node_free_windows(
        [provider_offer(), provider_offer(2, status=OfferStatus.WITHDRAWN)],
        [
            provider_allocation(start_time=at(10), end_time=at(20)),
            provider_allocation(start_time=at(30), end_time=at(40), market_status="cancelled"),
        ],
        timedelta(hours=1),
        at(5),
    )
    assert free == (TimeWindow(at(5), at(9)), TimeWindow(at(21), at(100)))
