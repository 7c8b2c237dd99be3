from clavero.simulator.billing import Billed, Invoice
from clavero.simulator.replies import Bill


def test_calls_add_up_by_model_and_in_all() -> None:
    invoice = Invoice()
    invoice.charge(Bill("a", 10, 4, 99, extra=2, written=1), 5)
    invoice.charge(Bill("a", 1), 0)
    invoice.charge(Bill("b", 1), 1)
    assert invoice.by_model == {"a": Billed(2, 11, 4, 1, 7), "b": Billed(1, 1, 0, 0, 1)}
    assert invoice.total == Billed(3, 12, 4, 1, 8)
    assert [model for model, _ in invoice.rows] == ["a", "a", "b"]
