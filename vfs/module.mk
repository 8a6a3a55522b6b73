# SPDX-License-Identifier: Apache-2.0

# interpose_*.c define libc's names: not together with the sanitizers, which
# do the same.  Link the objects, not the archive, into a program that is to
# have the names: nothing may refer to them by then.
VFS_SRCS := $(wildcard vfs/call_*.c) vfs/arg_vector.c vfs/cwd.c \
    vfs/handle.c vfs/libc_next.c vfs/mount.c vfs/place.c vfs/program.c \
    vfs/vfs_stat.c
VFS_INTERPOSE_SRCS := $(if $(filter debug,$(MODE)),,\
    $(wildcard vfs/interpose_*.c))
VFS_OBJS = $(call objects,$(VFS_SRCS) $(VFS_INTERPOSE_SRCS))

$(OBJ)/vfs.a: $(patsubst %.c,$(OBJ)/%.o,$(VFS_SRCS) $(VFS_INTERPOSE_SRCS))
	$(Q)rm -f $@ && ar rcsD $@ $^

-include $(patsubst %.c,$(OBJ)/%.d,$(VFS_SRCS) $(VFS_INTERPOSE_SRCS))
