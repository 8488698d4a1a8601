"""`relujax compact`: the same status and report from fewer files."""

from stored_runs import store_study


def test_status_and_report_stay_what_they_were(tmp_path, relujax, monkeypatch):
    store_study(tmp_path, "wide")
    monkeypatch.chdir(tmp_path)
    before = relujax("status", "runs")
    code, text = relujax("compact", "runs/wide")
    assert code == 0 and "10 files of 2 cells are in 1 new packs" in text
    assert not list(tmp_path.glob("runs/wide/*/seeds-*"))
    assert relujax("status", "runs") == before and "2 of 2" in before[1]
    code, text = relujax("report", "runs")
    assert code == 0 and "Skipped" not in text
    code, text = relujax("compact", "runs")
    assert code == 0 and "0 files of 0 cells" in text


def test_a_folder_of_which_nothing_else_is_known(tmp_path, relujax):
    store_study(tmp_path, "wide")
    (tmp_path / "runs/wide/quick.json").unlink()
    before = relujax("status", tmp_path / "runs")
    assert "2 cells, with 4 seeds" in before[1].replace("\n", " ")
    relujax("compact", tmp_path / "runs/wide")
    assert relujax("status", tmp_path / "runs") == before


def test_refusals(tmp_path, relujax):
    code, text = relujax("compact", tmp_path / "nowhere")
    assert code == 2 and "no such folder" in text
    code, text = relujax("compact", tmp_path)
    assert code == 2 and "No study has been run" in text
