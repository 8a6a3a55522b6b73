# SPDX-License-Identifier: Apache-2.0

# interpose_*.c define libc's names: not together with the sanitizers, which
# do the same.  A program that is to have the names links VFS_OBJS, not the
# archive, from which nothing may have asked for them by then.
VFS_SRCS := $(wildcard vfs/call_*.c) vfs/arg_vector.c vfs/cwd.c vfs/handle.c \
    vfs/libc_next.c vfs/mount.c vfs/place.c vfs/program.c vfs/trace.c vfs/vfs_stat.c
VFS_INTERPOSE_SRCS := $(if $(filter debug,$(MODE)),,\
    $(wildcard vfs/interpose_*.c))
VFS_OBJS := $(patsubst %.c,$(OBJ)/%.o,$(VFS_SRCS) $(VFS_INTERPOSE_SRCS))

# vfs/exports.list must hold what interpose_*.c define: a name that is not
# exported is missing in every shared object that is loaded later.
$(OBJ)/vfs.a: $(VFS_OBJS) vfs/exports.list
	$(Q)$(if $(VFS_INTERPOSE_SRCS),$(NM) -g --defined-only \
	    $(filter $(OBJ)/vfs/interpose_%,$(VFS_OBJS)) | \
	    awk 'NF == 3 {print $$3}' | LC_ALL=C sort | \
	    diff vfs/exports.list - >&2)
	$(Q)rm -f $@ && $(AR) rcsD $@ $(VFS_OBJS)

-include $(VFS_OBJS:.o=.d)
