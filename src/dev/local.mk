# The files of src/dev.

libglovebox_a_SOURCES += \
    src/dev/clint.c src/dev/clint.h \
    src/dev/dev.c src/dev/device.h src/dev/ticks.h \
    src/dev/finisher.c src/dev/finisher.h \
    src/dev/goldfish_rtc.c src/dev/goldfish_rtc.h \
    src/dev/plic.c src/dev/plic.h \
    src/dev/uart16550.c src/dev/uart16550.h \
    src/dev/virtio/blk.c src/dev/virtio/blk.h \
    src/dev/virtio/mmio.c src/dev/virtio/mmio.h \
    src/dev/virtio/queue.c src/dev/virtio/queue.h \
    src/dev/virtio/virtio.h
