"""The state machine of one session, driven with packet types and invented times: heartbeat, upgrade, deadlines."""

import math

import pytest

from fastsio.engine._lifecycle import Due, Lifecycle, LinkKind, State, Verdict
from fastsio.options import Options

CLOSE, PING, PONG, MESSAGE, UPGRADE, NOOP, PING_PROBE, PONG_PROBE = 1, 2, 3, 4, 5, 6, 7, 8


def live(version: int = 4, kind: LinkKind = LinkKind.POLLING, must_join: bool = False) -> tuple[Lifecycle, Options]:
    options = Options()
    session = Lifecycle(version)
    session.open(kind, must_join, 0.0, options)
    return session, options


def due(session: Lifecycle, options: Options, now: float) -> list[Due]:
    found = []
    while (one := session.on_time(now, options)) != Due.NOTHING:
        found.append(Due(one))
    return found


class TestHeartbeatOfRevision4:
    def test_the_server_pings_after_the_interval(self):
        session, options = live()
        assert due(session, options, 24.9) == []
        assert due(session, options, 25.0) == [Due.SEND_PING]

    def test_the_next_ping_follows_the_pong_not_the_ping(self):
        session, options = live()
        due(session, options, 25.0)
        assert session.on_packet(PONG, 40.0, options) == Verdict.IGNORE
        assert due(session, options, 64.9) == []
        assert due(session, options, 65.0) == [Due.SEND_PING]

    def test_an_unanswered_ping_is_a_timeout(self):
        session, options = live()
        due(session, options, 25.0)
        assert due(session, options, 44.9) == []
        assert due(session, options, 45.0) == [Due.PING_TIMEOUT]

    @pytest.mark.threat("T074")
    def test_data_extend_the_wait_for_a_pong_once(self):
        session, options = live()
        due(session, options, 25.0)
        session.on_packet(MESSAGE, 30.0, options)
        assert due(session, options, 45.0) == []
        session.on_packet(MESSAGE, 50.0, options)
        assert due(session, options, 65.0) == [Due.PING_TIMEOUT]

    @pytest.mark.threat("T072")
    def test_a_pong_nobody_asked_for_does_not_put_off_the_next_ping(self):
        session, options = live()
        session.on_packet(PONG, 20.0, options)
        assert due(session, options, 25.0) == [Due.SEND_PING]

    @pytest.mark.parametrize("type", [PING, PING_PROBE])
    @pytest.mark.threat("T071")
    def test_a_ping_from_the_client_is_a_violation(self, type: int):
        session, options = live()
        assert session.on_packet(type, 1.0, options) == Verdict.VIOLATION

    def test_a_timeout_assigned_later_counts_for_the_next_ping(self):
        session, options = live()
        options.ping_timeout = 1.0
        due(session, options, 25.0)
        assert due(session, options, 26.0) == [Due.PING_TIMEOUT]


class TestHeartbeatOfRevision3:
    def test_the_client_pings_and_is_answered(self):
        session, options = live(3)
        assert session.on_packet(PING, 10.0, options) == Verdict.ANSWER_PONG

    def test_silence_for_interval_and_timeout_is_death(self):
        session, options = live(3)
        assert due(session, options, 44.9) == []
        assert due(session, options, 45.0) == [Due.PING_TIMEOUT]

    @pytest.mark.parametrize("type", [PING, MESSAGE])
    def test_any_packet_is_a_sign_of_life(self, type: int):
        session, options = live(3)
        session.on_packet(type, 40.0, options)
        assert due(session, options, 45.0) == []

    def test_the_server_never_pings(self):
        session, options = live(3)
        for second in range(200):
            session.on_packet(PING, float(second), options)
            assert due(session, options, float(second)) == []

    def test_a_stray_pong_is_ignored(self):
        session, options = live(3)
        assert session.on_packet(PONG, 1.0, options) == Verdict.IGNORE


class TestPackets:
    def test_a_message_is_delivered(self):
        session, options = live()
        assert session.on_packet(MESSAGE, 1.0, options) == Verdict.DELIVER

    @pytest.mark.threat("T070")
    def test_close_comes_from_the_peer(self):
        session, options = live()
        assert session.on_packet(CLOSE, 1.0, options) == Verdict.PEER_CLOSED

    @pytest.mark.parametrize("type", [0, NOOP, UPGRADE])
    @pytest.mark.threat("T069")
    def test_stray_packets_are_ignored(self, type: int):
        session, options = live()
        assert session.on_packet(type, 1.0, options) == Verdict.IGNORE

    def test_nothing_is_delivered_before_the_handshake_is_answered(self):
        session = Lifecycle(4)
        assert session.on_packet(MESSAGE, 1.0, Options()) == Verdict.IGNORE

    def test_nothing_is_delivered_from_a_lingering_session(self):
        session, options = live()
        session.linger(1.0, options)
        assert session.on_packet(MESSAGE, 1.0, options) == Verdict.IGNORE
        assert due(session, options, 31.0) == [Due.LINGER_TIMEOUT]


class TestUpgrade:
    def test_probe_then_upgrade_switches(self):
        session, options = live()
        session.begin_probe(1.0, options)
        assert session.on_probe_packet(PING_PROBE) == Verdict.ANSWER_PROBE
        assert session.on_probe_packet(UPGRADE) == Verdict.SWITCH
        session.switch()
        assert session.kind == LinkKind.WEBSOCKET
        assert not session.probing
        assert due(session, options, 12.0) == []

    def test_a_probe_may_be_repeated(self):
        session, _ = live()
        assert [session.on_probe_packet(PING_PROBE) for _ in range(3)] == [Verdict.ANSWER_PROBE] * 3

    @pytest.mark.parametrize("type", [UPGRADE, MESSAGE, PING, CLOSE])
    @pytest.mark.threat("T088", "T089")
    def test_anything_but_a_probe_first_is_refused(self, type: int):
        session, _ = live()
        assert session.on_probe_packet(type) == Verdict.REFUSE_LINK
        assert session.state == State.LIVE

    @pytest.mark.parametrize("type", [MESSAGE, PING, CLOSE, NOOP])
    def test_anything_but_an_upgrade_after_the_probe_is_refused(self, type: int):
        session, _ = live()
        session.on_probe_packet(PING_PROBE)
        assert session.on_probe_packet(type) == Verdict.REFUSE_LINK

    @pytest.mark.threat("T090")
    def test_a_probe_that_goes_silent_is_given_up_and_polling_goes_on(self):
        session, options = live()
        session.begin_probe(1.0, options)
        session.on_probe_packet(PING_PROBE)
        assert due(session, options, 11.0) == [Due.PROBE_TIMEOUT]
        session.end_probe()
        assert session.on_packet(MESSAGE, 12.0, options) == Verdict.DELIVER

    def test_an_unanswered_ping_is_still_due_after_the_switch(self):
        session, options = live()
        due(session, options, 25.0)
        session.begin_probe(26.0, options)
        session.on_probe_packet(PING_PROBE)
        session.on_probe_packet(UPGRADE)
        session.switch()
        assert due(session, options, 45.0) == [Due.PING_TIMEOUT]


class TestJoining:
    @pytest.mark.threat("T136")
    def test_a_client_that_joins_nothing_is_due(self):
        session, options = live(must_join=True)
        options.ping_interval = 1000
        assert Due.JOIN_TIMEOUT in due(session, options, 45.0)

    def test_joining_disarms_it_for_good(self):
        session, options = live(must_join=True)
        session.joined()
        assert Due.JOIN_TIMEOUT not in due(session, options, 10_000.0)

    def test_bare_sessions_need_not_join(self):
        session, _ = live()
        assert session.next_due() == 25.0


def test_what_is_due_next_is_the_earliest():
    session, options = live(must_join=True)
    assert session.next_due() == 25.0
    session.begin_probe(2.0, options)
    assert session.next_due() == 12.0
    session.linger(3.0, options)
    assert session.next_due() == 33.0
    due(session, options, 33.0)
    assert math.isinf(session.next_due())
