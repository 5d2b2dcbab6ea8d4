# What spreads a sweep over processes with mpirun: a module that the command loads where it was started so. Whoever starts it
# otherwise neither needs libmpi nor waits for it to be loaded.
option(GODWIT_MPI "Let mpirun spread sweeps, where MPI is found" ON)

function(godwit_mpi)
  if(NOT GODWIT_MPI)
    return()
  endif()
  find_package(MPI QUIET COMPONENTS CXX)
  if(NOT MPI_CXX_FOUND)
    message(STATUS "Godwit: MPI was not found: mpirun cannot spread sweeps; --shard and merge can")
    return()
  endif()
  add_library(godwit_mpi MODULE mpi/ranks.cpp)
  target_link_libraries(godwit_mpi PRIVATE godwit::flags MPI::MPI_CXX)
  set_target_properties(godwit_mpi PROPERTIES PREFIX "" LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}")
  add_dependencies(godwit godwit_mpi)
  # Where cli/ranks.cpp looks for it, from the command on.
  install(TARGETS godwit_mpi LIBRARY DESTINATION "${CMAKE_INSTALL_BINDIR}/../lib/godwit")
endfunction()
