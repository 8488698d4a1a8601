"""Downloads against a small server: whole, continued, broken, wrong, absent."""

import hashlib
import http.server
import threading

import pytest

import relujax
from relujax.data import _images, _text
from relujax.data._fetch import fetch
from relujax.data._sources import FASHION_MNIST, MNIST

CONTENT = bytes(range(256)) * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class _Handler(http.server.BaseHTTPRequestHandler):
    url: str
    files: dict[str, bytes]
    ranges: list[str]
    breaks_after: int | None
    ignores_ranges: bool

    def do_GET(self):
        content = self.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        asked = self.headers.get("Range", "bytes=0-")
        self.ranges.append(asked)
        start = int(asked.removeprefix("bytes=").removesuffix("-"))
        if self.ignores_ranges:
            start = 0
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self.wfile.write(content[start:][: self.breaks_after])

    def log_message(self, format, *args):
        pass


@pytest.fixture
def server():
    handler = type(
        "Handler",
        (_Handler,),
        {"files": {}, "ranges": [], "breaks_after": None, "ignores_ranges": False},
    )
    handler.files["/file"] = CONTENT
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        handler.url = f"http://127.0.0.1:{running.server_address[1]}"
        yield handler
        running.shutdown()
        thread.join()


def _fetch(server, path):
    fetch(f"{server.url}/file", path, size=len(CONTENT), sha256=SHA256)


def test_a_file_is_downloaded_once(server, tmp_path):
    path = tmp_path / "new" / "file"
    _fetch(server, path)
    _fetch(server, path)
    assert path.read_bytes() == CONTENT
    assert server.ranges == ["bytes=0-"]
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("ignores_ranges", [False, True])
def test_a_broken_download_is_continued(server, tmp_path, ignores_ranges):
    path = tmp_path / "file"
    server.breaks_after = 70_000
    with pytest.raises(relujax.InputError, match="ended after 70,000: run the same"):
        _fetch(server, path)
    assert not path.exists()
    server.breaks_after = None
    server.ignores_ranges = ignores_ranges
    _fetch(server, path)
    assert path.read_bytes() == CONTENT
    assert server.ranges == ["bytes=0-", "bytes=70000-"]


def test_other_content_is_refused_and_not_kept(server, tmp_path):
    server.files["/file"] = CONTENT[:-1] + b"?"
    with pytest.raises(relujax.InputError, match=f"sha256 {SHA256}"):
        _fetch(server, tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


def test_an_endless_answer_is_cut_off(server, tmp_path, monkeypatch):
    written = []
    server.files["/file"] = bytes(len(CONTENT) + 2**24)
    monkeypatch.setattr(
        "rich.progress.Progress.advance", lambda _, bar, n: written.append(n)
    )
    with pytest.raises(relujax.InputError, match=r"256,000 bytes from .*, got more"):
        _fetch(server, tmp_path / "file")
    assert sum(written) == len(CONTENT) + 1
    assert list(tmp_path.iterdir()) == []


def test_what_is_downloaded_comes_by_https():
    urls = [MNIST.url, FASHION_MNIST.url, _text._ARCHIVE]
    assert all(url.startswith("https://") for url in urls)


def test_a_copy_that_changed_on_disk_is_replaced(server, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    _fetch(server, path)
    assert path.read_bytes() == CONTENT


def test_no_server_is_one_sentence(server, tmp_path):
    with pytest.raises(relujax.InputError, match=r"Could not download .*Not Found"):
        fetch(f"{server.url}/none", tmp_path / "file", size=1, sha256=SHA256)
    with pytest.raises(relujax.InputError, match="set RELUJAX_DATA_DIR"):
        fetch("http://127.0.0.1:9/file", tmp_path / "file", size=1, sha256=SHA256)


def test_download_and_prepare(server, tiny, tmp_path):
    for archive in tiny.archives:
        content = (tmp_path / "tiny" / archive.file).read_bytes()
        server.files[f"/{archive.file}"] = content
    online = tiny._replace(url=f"{server.url}/")
    root = tmp_path / "prepared"
    _images.prepare_images(online, root, None)
    data = _images.load_images(online, data_dir=root)
    assert data.provenance.n_train == 12
    assert len(server.ranges) == 4
