from clavero.domain.startup import Exit, StartFailure


def test_a_failure_says_fact_code_and_remedy() -> None:
    failure = StartFailure("port_in_use", "port 4141 is in use", "--gateway-port 0 takes any free port")
    assert str(failure) == "error: port 4141 is in use  [port_in_use]\n  fix: --gateway-port 0 takes any free port"
    assert failure.exit_code is Exit.CANNOT_START
