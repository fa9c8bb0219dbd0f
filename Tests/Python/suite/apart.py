"""Cases with a gantryd of their own: they kill it, or need it started in another way than the others."""

from . import clients
from .case import Case
from .daemon import Daemon


class ApartCase(Case):
    #: What `Daemon` is told besides its programs.
    settings = {}

    def setUp(self):
        super().setUp()
        self.own = Daemon(self.daemon.programs, **self.settings)
        self.addCleanup(self.own.stop)
        self.before_start()
        self.start()

    def before_start(self):
        """Puts there what the first start is to find."""

    def start(self):
        self.own.start()
        self.session = clients.session(self.own.url, "root", self.own.password)
        self.addCleanup(self.session("close"))

    @property
    def x(self):
        return self.session.xenapi
