"""The order in which a proxy gets what changed, what an ack or a nack sets free, and what a reconnect costs."""

from __future__ import annotations

STARTED = """
    publish CDS a@1 | EDS a@1 | LDS in@1 | RDS 80@1
    ask CDS
    -> CDS +a
    ask EDS +a
    -> EDS +a
    ack CDS
    ack EDS
    ask LDS
    -> LDS +in
    ask RDS +80
    -> RDS +80
    ack LDS
    ack RDS
"""


def test_a_fresh_proxy_gets_each_type_as_it_asks(play):
    session = play(STARTED)
    assert set(session.sync_states().values()) == {"SYNCED", "NOT SENT"}
    assert session.is_settled()


def test_a_request_before_the_first_publish_is_answered_by_it(play):
    play("""
        ask CDS
        publish CDS a@1 | EDS a@1
        -> CDS +a
    """)


def test_a_fresh_proxy_gets_an_empty_answer_when_there_is_nothing(play):
    play("""
        publish CDS | LDS
        ask LDS
        -> LDS
        ack LDS
    """)


def test_what_did_not_change_is_not_sent_again(play):
    play(STARTED)
    play("publish CDS a@1 | EDS a@1 | LDS in@1 | RDS 80@1")


def test_a_route_change_alone_goes_at_once(play):
    play(STARTED)
    play("""
        publish RDS 80@2
        -> RDS +80
    """)


def test_a_changed_cluster_gets_its_unchanged_endpoints_again(play):
    play(STARTED)
    play("""
        publish CDS a@2 | EDS a@1
        -> CDS +a
        -> EDS +a
    """)


def test_a_route_waits_until_its_new_cluster_has_endpoints_and_the_old_one_goes_last(play):
    session = play(STARTED)
    play("""
        publish CDS b@1 | EDS b@1 | RDS 80@2
        -> CDS +b
        ask EDS +b            # Envoy made the cluster, which warms until its endpoints come
        -> EDS +b
        ack EDS               # not enough: the cluster is not acked
        ack CDS
        -> RDS +80
        ack RDS
        -> CDS -a
        -> EDS -a
        ack CDS
        ask EDS -a
        ack EDS
    """)
    assert session.is_settled()


def test_an_acked_new_cluster_without_endpoints_still_holds_routes_back(play):
    play(STARTED)
    play("""
        publish CDS a@1 b@1 | EDS a@1 b@1 | RDS 80@2
        -> CDS +b
        ack CDS
        ask EDS +b
        -> EDS +b
        ack EDS
        -> RDS +80
    """)


def test_listeners_wait_as_routes_do(play):
    play(STARTED)
    play("""
        publish CDS a@2 | EDS a@1 | LDS in@2 | RDS 80@2
        -> CDS +a
        -> EDS +a
        ack CDS
        ack EDS
        -> LDS +in
        -> RDS +80
    """)


def test_a_removal_waits_for_listeners_and_routes_that_are_not_acked(play):
    play(STARTED)
    play("""
        publish CDS | EDS | LDS in@2 | RDS 80@2
        -> LDS +in
        -> RDS +80
        ack LDS
        ack RDS
        -> CDS -a
        -> EDS -a
    """)


def test_a_removed_listener_takes_its_route_with_it_last(play):
    play(STARTED)
    play("""
        publish LDS | RDS
        -> LDS -in
        ack LDS
        -> RDS -80
    """)


def test_held_routes_go_when_the_limit_has_passed(play, playbook):
    play(STARTED)
    play("""
        publish CDS a@2 | EDS a@1 | RDS 80@2
        -> CDS +a
        -> EDS +a
        wait 1.9
    """)
    assert playbook.session.deadline() == playbook.now_s - 1.9 + 2.0
    play("""
        wait 0.1
        -> RDS +80
    """)
    assert playbook.session.deadline() is None
    assert playbook.session.sync_states()["type.googleapis.com/envoy.config.cluster.v3.Cluster"] == "STALE"


def test_held_removals_go_when_the_limit_has_passed(play):
    play(STARTED)
    play("""
        publish CDS | EDS | RDS 80@2
        -> RDS +80
        wait 2
        -> CDS -a
        -> EDS -a
    """)


def test_the_limit_starts_anew_for_the_next_change(play):
    play(STARTED)
    play("""
        publish CDS a@2 | EDS a@1 | RDS 80@2
        -> CDS +a
        -> EDS +a
        wait 2
        -> RDS +80
        publish CDS a@3 | EDS a@1 | RDS 80@3
        -> CDS +a
        -> EDS +a
        wait 1.5
        ack CDS
        ack EDS
        -> RDS +80
    """)


def test_a_refused_cluster_opens_the_gates_and_is_not_sent_again(play):
    session = play(STARTED)
    play("""
        publish CDS a@1 b@broken | EDS a@1 b@1 | RDS 80@2
        -> CDS +b
        nack CDS Error adding/updating cluster(s) b: invalid
        -> RDS +80
        ack RDS
        publish CDS a@1 b@broken | EDS a@1 b@1 | RDS 80@2
    """)
    nack = session.nacks[0]
    assert (nack.message, nack.resources) == ("Error adding/updating cluster(s) b: invalid", ("b",))
    assert session.sync_states()[nack.type_url] == "STALE"


def test_a_refusal_stands_until_that_resource_is_accepted_or_gone(play):
    session = play(STARTED)
    play("""
        publish CDS a@1 b@broken | EDS a@1
        -> CDS +b
        nack CDS Error adding/updating cluster(s) b: invalid
        publish CDS a@2 b@broken | EDS a@1
        -> CDS +a
        -> EDS +a
        ack CDS
        ack EDS
    """)
    assert [name for _, name in session.refused()] == ["b"]
    assert "STALE" in session.sync_states().values()
    play("""
        publish CDS a@2 | EDS a@1
        -> CDS -b
        ack CDS
    """)
    assert session.refused() == {}
    assert "STALE" not in session.sync_states().values()


def test_a_response_refused_as_a_whole_comes_again_one_by_one(play):
    session = play(STARTED)
    play("""
        publish CDS a@1 b@1 c@broken | EDS a@1 | RDS 80@2
        -> CDS +b +c
        nack CDS Invalid duration
        -> CDS +b
        -> CDS +c
        nack CDS Invalid duration
        -> RDS +80
    """)
    assert [name for _, name in session.refused()] == ["c"]
    assert len(session.nacks) == 1


def test_a_removal_refused_along_with_others_comes_again(play):
    play(STARTED)
    play("""
        publish LDS x@1 y@broken
        -> LDS +x +y -in
        nack LDS no idea
        -> LDS -in
        -> LDS +x
        -> LDS +y
        nack LDS no idea
    """)


def test_refused_removals_are_not_repeated(play):
    play(STARTED)
    play("""
        publish CDS a@1 b@1 c@1 | EDS a@1
        -> CDS +b +c
        ack CDS
        publish CDS a@1 | EDS a@1
        -> CDS -b -c
        nack CDS no idea
    """)


def test_a_mended_resource_is_sent_after_a_refusal_even_if_it_is_the_one_before(play):
    session = play(STARTED)
    play("""
        publish RDS 80@broken
        -> RDS +80
        nack RDS missing ]: [a-z
        publish RDS 80@1
        -> RDS +80
        ack RDS
    """)
    assert session.nacks[0].resources == ("80",)
    assert session.is_settled()
    assert "STALE" not in session.sync_states().values()


def test_a_reconnected_proxy_gets_only_what_changed_and_all_endpoints(play):
    play("""
        publish CDS a@1 b@2 | EDS a@1 b@1 | LDS in@1 | RDS 80@1
        ask CDS has a@1 b@1 gone@1
        -> CDS +b
        ask EDS +a +b has a@1 b@1
        -> EDS +a +b
        ask LDS has in@1
        ask RDS +80 has 80@1
        ack CDS
        ack EDS
        -> CDS -gone
    """)


def test_after_a_reconnect_a_removal_waits_for_the_routes_to_be_asked_for(play):
    play("""
        publish CDS a@1 | EDS a@1 | LDS in@1 | RDS 80@2
        ask CDS has a@1 gone@1
        ask EDS +a has a@1
        -> EDS +a
        ack EDS
        ask LDS has in@1
        ask RDS +80 has 80@1
        -> RDS +80
        ack RDS
        -> CDS -gone
    """)


def test_routes_wait_for_clusters_after_a_reconnect_too(play):
    play("""
        publish CDS a@1 b@1 | EDS a@1 b@1 | LDS in@1 | RDS 80@2
        ask CDS has a@1
        -> CDS +b
        ask EDS +a has a@1
        -> EDS +a
        ask LDS has in@1
        ask RDS +80 has 80@1
        ask EDS +b
        -> EDS +b
        ack EDS
        ack CDS
        -> RDS +80
    """)


def test_asking_again_is_answered_again(play):
    play(STARTED)
    play("""
        ask RDS +80
        -> RDS +80
    """)


def test_a_name_that_does_not_exist_is_answered_once_and_sent_when_it_comes(play):
    play(STARTED)
    play("""
        ask RDS +90
        -> RDS -90
        ack RDS
        publish RDS 80@1
        publish RDS 80@1 90@1
        -> RDS +90
    """)


def test_a_name_given_up_is_not_sent_any_more(play):
    play(STARTED)
    play("""
        ask RDS -80
        publish RDS 80@2
    """)


def test_secrets_rotate_whatever_the_gates_say(play):
    play(STARTED)
    play("""
        publish SDS default@1
        ask SDS +default
        -> SDS +default
        ack SDS
        publish CDS a@2 | EDS a@1 | RDS 80@2
        -> CDS +a
        -> EDS +a
        publish SDS default@2
        -> SDS +default
    """)


def test_naming_nothing_does_not_mean_every_secret(play):
    play("""
        publish SDS default@1 ROOTCA@1
        ask SDS
        ask SDS +*
    """)


def test_an_answer_to_an_older_response_does_not_settle_the_latest(play, playbook):
    play(STARTED)
    play("""
        publish RDS 80@2
        -> RDS +80
    """)
    older = playbook.nonces["RDS"]
    play("""
        publish RDS 80@3
        -> RDS +80
    """)
    latest, playbook.nonces["RDS"] = playbook.nonces["RDS"], older
    session = play("ack RDS")
    assert not session.is_settled()
    playbook.nonces["RDS"] = latest
    assert play("ack RDS").is_settled()


def test_latency_is_from_publish_to_the_last_ack(play):
    session = play(STARTED)
    play("""
        publish RDS 80@2
        -> RDS +80
        wait 0.004
        ack RDS
        publish RDS 80@2
    """)
    assert [round(latency_s, 6) for latency_s in session.latencies_s] == [0.004]
