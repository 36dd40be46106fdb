# The files of src/dev.

libglovebox_a_SOURCES += \
    src/dev/aplic.c src/dev/aplic.h \
    src/dev/clint.c src/dev/clint.h \
    src/dev/dev.c src/dev/device.h src/dev/ticks.h \
    src/dev/finisher.c src/dev/finisher.h \
    src/dev/fw_cfg.c src/dev/fw_cfg.h \
    src/dev/goldfish_rtc.c src/dev/goldfish_rtc.h \
    src/dev/htif.c src/dev/htif.h \
    src/dev/overlay.c src/dev/overlay.h \
    src/dev/pflash.c src/dev/pflash.h \
    src/dev/pci.c src/dev/pci.h \
    src/dev/pcie_host.c src/dev/pcie_host.h \
    src/dev/imsic.c src/dev/imsic.h \
    src/dev/plic.c src/dev/plic.h \
    src/dev/sources.c src/dev/sources.h \
    src/dev/uart16550.c src/dev/uart16550.h \
    src/dev/virtio/balloon.c src/dev/virtio/balloon.h \
    src/dev/virtio/blk.c src/dev/virtio/blk.h \
    src/dev/virtio/console.c src/dev/virtio/console.h \
    src/dev/virtio/mmio.c src/dev/virtio/mmio.h \
    src/dev/virtio/net.c src/dev/virtio/net.h \
    src/dev/virtio/p9.c src/dev/virtio/p9.h \
    src/dev/virtio/p9_fid.c src/dev/virtio/p9_impl.h \
    src/dev/virtio/pci.c src/dev/virtio/pci.h \
    src/dev/virtio/queue.c src/dev/virtio/queue.h \
    src/dev/virtio/rng.c src/dev/virtio/rng.h \
    src/dev/virtio/transport.c src/dev/virtio/transport.h \
    src/dev/virtio/virtio.c src/dev/virtio/virtio.h
