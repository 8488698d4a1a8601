"""Units: what is cut, who gets which, and what a worker refuses."""

import json
from dataclasses import replace

import jax
import pytest

import relujax
from relujax.engine import (
    Cell,
    Mismatch,
    Plan,
    Unit,
    check_portable,
    collect,
    cut,
    plan_tasks,
    run_tasks,
    setting_of,
    share,
    work,
    work_off,
)
from relujax.engine._setting import module_revision
from relujax.errors import InputError

MAP = Plan("map", 2)


def cell(activation="relu", **more):
    given = {"data": "wdbc", "model": "mlp(hidden=(4,))", "epochs": 2, **more}
    return Cell(activation=activation, objective="binary_cross_entropy", **given)


GRID = [cell("relu"), *(cell(f"leaky_relu(negative_slope={s})") for s in (0.1, 0.2))]


def units_of(folder, cells=GRID, seeds=range(5), plan=MAP, **more):
    tasks = plan_tasks(cells, seeds, folder)
    return cut(tasks, root=0, setting=setting_of(cells), plan=plan, **more)


@pytest.fixture
def unit(tmp_path):
    return units_of(tmp_path, [cell()], [0, 1])[0]


def changed(unit, **more):
    """The unit, as if it had been sent from elsewhere."""
    return replace(unit, setting=replace(unit.setting, host="elsewhere", **more))


def test_every_network_is_in_one_unit_and_every_unit_of_one_program(tmp_path):
    units = units_of(tmp_path)
    networks = [(c["digest"], s) for u in units for c in u.cells for s in c["seeds"]]
    assert len(networks) == len(set(networks)) == 15
    # relu; and leaky_relu, whose slopes are numbers of one program.
    assert [u.networks for u in units] == [2, 2, 1, 2, 2, 2, 2, 2]
    programs = [u.program for u in units]
    assert len(set(programs)) == 2 and programs == sorted(programs, key=programs.index)


def test_a_unit_survives_json(unit):
    again = Unit.from_json(unit.to_json())
    assert again == unit and again.id == unit.id


def test_a_unit_is_at_most_a_fiftieth_of_a_long_run(tmp_path):
    cells = [cell(epochs=2000), cell("elu", epochs=4000)]
    units = units_of(tmp_path, cells, range(100), Plan("map"))
    total = sum(unit.seconds for unit in units)
    assert max(unit.seconds for unit in units) <= total / 50
    # The longest come first.
    assert units[0].seconds == max(unit.seconds for unit in units)


@pytest.mark.parametrize("n", [1, 2, 3, 7, 40])
def test_shares_are_all_units_once_counted_from_0_or_1(tmp_path, n):
    units = units_of(tmp_path)
    for first in (0, 1):
        shares = [share(units, i, n) for i in range(first, n + first)]
        assert sorted(u.id for s in shares for u in s) == sorted(u.id for u in units)


def test_cutting_does_not_depend_on_what_is_stored(tmp_path):
    before = [unit.id for unit in units_of(tmp_path, missing=False)]
    work_off(
        units_of(tmp_path)[:1], tmp_path, tasks=plan_tasks(GRID, range(5), tmp_path)
    )
    assert [unit.id for unit in units_of(tmp_path, missing=False)] == before
    assert len(units_of(tmp_path)) == len(before) - 1


def test_units_from_json_give_the_bits_of_one_run(tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    run_tasks(plan_tasks(GRID, range(5), here), plan=Plan("map"))
    for unit in reversed(units_of(there)):
        for done in work(Unit.from_json(unit.to_json())):
            done.put(there)
    tables = [collect(plan_tasks(GRID, range(5), f), range(5)) for f in (here, there)]
    assert tables[0].equals(tables[1])


def test_weights_travel_with_their_rows(tmp_path):
    tasks = plan_tasks([cell()], [3], tmp_path, keep="last")
    [unit] = cut(tasks, root=0, setting=setting_of([cell()]), plan=MAP)
    [done] = work(unit)
    assert not list(tmp_path.iterdir())
    done.put(tmp_path)
    assert tasks[0].store.weights(3) == done.weights[3]


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("versions", {"jax": "0.0.1"}, ["jax 0.0.1", f"jax {jax.__version__}"]),
        ("source", "aaaa", ["relujax with the source aaaa", "same version"]),
        ("backend", "gpu", ["the backend gpu", "the backend cpu"]),
        ("modules", {"nets": ["bbbb", "c0ffee"]}, ["revision bbbb (commit c0ffee)"]),
    ],
    ids=["jax", "relujax", "backend", "module"],
)
def test_a_worker_that_differs_refuses_and_names_both(unit, field, value, words):
    if field == "versions":
        value = {**unit.setting.versions, **value}
    if field == "modules":
        words = [*words, module_revision("nets")[0]]
    with pytest.raises(Mismatch) as refusal:
        work(changed(unit, **{field: value}))
    said = str(refusal.value)
    assert all(word in said for word in [*words, "elsewhere", "nothing was trained"])


def test_a_worker_with_other_data_refuses_and_names_both(unit):
    [part] = unit.cells
    other = replace(unit, cells=[{**part, "data": "d00f" * 16}])
    with pytest.raises(Mismatch, match=r"hash d00fd00fd00fd00f .* got ") as refusal:
        work(other)
    assert part["data"][:16] in str(refusal.value)


def test_a_worker_with_another_program_behind_a_name_refuses(tmp_path):
    [unit] = units_of(tmp_path, [cell()], [0])
    [part] = unit.cells
    with pytest.raises(Mismatch, match=r"program abcd .* of another revision"):
        work(replace(unit, cells=[{**part, "fingerprint": "abcd"}]))


def test_what_a_worker_cannot_import_is_refused_before_it_is_sent():
    loss = relujax.named("my_loss", lambda outputs, targets: outputs[:, 0] ** 2)
    with pytest.raises(InputError, match=r"a worker can import, got 'my_loss'.*module"):
        check_portable([replace(cell(), objective=loss)])
    check_portable(GRID)


def test_arrays_are_refused_before_they_are_sent():
    x, y = jax.numpy.ones((8, 2)), jax.numpy.arange(8) % 2
    with pytest.raises(InputError, match="data set that a worker can import"):
        check_portable([cell(data=(x, y, x, y))])


def test_a_failure_is_kept_and_the_other_units_go_on(tmp_path):
    units = units_of(tmp_path, [cell(), cell("elu")], [0])
    tasks = plan_tasks([cell(), cell("elu")], [0], tmp_path)
    broken = replace(units[0], plan={**units[0].plan, "devices": 99})
    [failure] = work_off([broken, units[1]], tmp_path, tasks=tasks)
    assert "99" in str(failure.error)
    assert [bool(task.missing) for task in tasks].count(True) == 1
    assert not list((tmp_path / "units").glob("*.json"))


def test_json_of_a_unit_holds_no_code(unit):
    content = json.loads(unit.to_json())
    assert set(content["cells"][0]) == {
        "fields",
        "digest",
        "seeds",
        "data",
        "fingerprint",
    }


def test_a_worker_with_another_number_of_threads_refuses(unit):
    threads = unit.setting.threads
    assert threads == 0  # Nobody has asked for a number.
    with pytest.raises(Mismatch, match=r"PJRT_NPROC, of 1000 as on elsewhere, got"):
        work(changed(unit, threads=1000))


def test_a_unit_with_checkpoints_needs_the_results_of_the_sender(unit, tmp_path):
    long = replace(unit, checkpoint_every=5.0)
    with pytest.raises(Mismatch, match="checkpoints need a folder that all"):
        work(long, tmp_path / "elsewhere")
    assert not (tmp_path / "elsewhere").exists()
