# The files of src/host.

libglovebox_a_SOURCES += \
    src/host/host_clock.c src/host/host_clock.h \
    src/host/host_disk.c src/host/host_disk.h \
    src/host/host_entropy.c src/host/host_entropy.h \
    src/host/host_file.c src/host/host_file.h \
    src/host/host_listen.c src/host/host_listen.h \
    src/host/host_nbd.c src/host/host_nbd.h \
    src/host/host_port.c src/host/host_port.h \
    src/host/host_qcow2.c src/host/host_qcow2.h \
    src/host/host_server.c src/host/host_server.h \
    src/host/host_share.c src/host/host_share.h \
    src/host/host_slirp.c src/host/host_slirp.h \
    src/host/host_tap.c src/host/host_tap.h \
    src/host/host_thread.c src/host/host_thread.h \
    src/host/host_tty.c src/host/host_tty.h \
    src/host/host_unix.c src/host/host_unix.h
