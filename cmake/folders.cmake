# godwit_folder(NAME [USES folder...] [PACKAGES target...])
#
# Makes the library godwit_NAME (alias godwit::NAME) of NAME/*.cpp. A folder of headers only becomes an INTERFACE
# library; a folder that does not exist is skipped, and so is every mention of it.
function(godwit_folder name)
  cmake_parse_arguments(arg "" "" "USES;PACKAGES" ${ARGN})
  if(NOT IS_DIRECTORY "${PROJECT_SOURCE_DIR}/${name}")
    return()
  endif()

  file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/${name}/*.cpp")
  if(sources)
    add_library(godwit_${name} STATIC ${sources})
    set(scope PUBLIC)
  else()
    add_library(godwit_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  add_library(godwit::${name} ALIAS godwit_${name})

  godwit_present(used ${arg_USES})
  target_link_libraries(godwit_${name} ${scope} godwit::flags ${used} ${arg_PACKAGES})
  set_property(GLOBAL APPEND PROPERTY GODWIT_LIBRARIES godwit::${name})
endfunction()

# Turns names of folders into the targets of those that exist.
function(godwit_present result)
  set(targets)
  foreach(name IN LISTS ARGN)
    if(TARGET godwit_${name})
      list(APPEND targets godwit::${name})
    endif()
  endforeach()
  set(${result} "${targets}" PARENT_SCOPE)
endfunction()

# Calls COMMAND(TARGET PRIVATE ARGUMENTS...) for each named folder that is compiled.
function(godwit_for_compiled command folders)
  foreach(name IN LISTS folders)
    if(TARGET godwit_${name})
      get_target_property(type godwit_${name} TYPE)
      if(NOT type STREQUAL "INTERFACE_LIBRARY")
        cmake_language(CALL ${command} godwit_${name} PRIVATE ${ARGN})
      endif()
    endif()
  endforeach()
endfunction()

function(godwit_freestanding)
  godwit_for_compiled(target_compile_options "${ARGN}" -fno-exceptions -fno-rtti)
endfunction()

function(godwit_define_version)
  godwit_for_compiled(target_compile_definitions "${ARGN}" GODWIT_VERSION="${PROJECT_VERSION}")
endfunction()

# godwit_command(NAME FOLDER folder [USES folder...] [PACKAGES target...])
#
# The executable, at the root of the build directory.
function(godwit_command name)
  cmake_parse_arguments(arg "" "FOLDER" "USES;PACKAGES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/${arg_FOLDER}/*.cpp")
  if(NOT sources)
    message(STATUS "${arg_FOLDER}/ has no source yet: the command ${name} is not built")
    return()
  endif()
  add_executable(${name} ${sources})
  godwit_present(used ${arg_USES})
  target_link_libraries(${name} PRIVATE godwit::flags ${used} ${arg_PACKAGES})
  target_compile_definitions(${name} PRIVATE GODWIT_VERSION="${PROJECT_VERSION}")
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}")
  install(TARGETS ${name} RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
endfunction()
